import { sessionResponseSchema } from '@chat-realtime/protocol';
import { type Customer, messageRequest, type Staff } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main');

async function lastEvents(customer: Customer, count: number): Promise<unknown[]> {
  const { events } = await customer.events();
  return events.slice(-count).map(({ type, data }) => ({ type, data }));
}

async function act(staff: Staff, customer: Customer, action: string, json: Record<string, unknown> = {}) {
  return (await staff.act(customer.sessionId, action, json)).as(sessionResponseSchema).session;
}

describe('assignment', () => {
  test('[ASG1] [EVT9] claiming makes the session active: assigned, then status, consecutive', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const session = await act(anna, customer, 'assign');
    expect(session).toMatchObject({ status: 'active', assigned_user_id: anna.userId, last_seq: 3 });
    expect(await lastEvents(customer, 2)).toMatchObject([
      { type: 'chat.session.assigned', data: { assigned_user_id: anna.userId, by: anna.userId } },
      {
        type: 'chat.session.status',
        data: { status: 'active', previous: 'new', reason: 'operator', by: anna.userId },
      },
    ]);
    expect(await customer.session()).toMatchObject({ status: 'active', assigned_user_id: anna.userId });
  });

  test('[ASG1] assign without a body at all claims as well', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const answer = await anna.request('POST', `${customer.path}/assign`);
    expect(answer.as(sessionResponseSchema).session.assigned_user_id).toBe(anna.userId);
  });

  test('[ASG3] again by the assignee: 200 and no event', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    await act(anna, customer, 'assign');
    const again = await act(anna, customer, 'assign');
    expect(again.last_seq).toBe(3);
    expect((await act(anna, customer, 'assign', { user_id: anna.userId })).last_seq).toBe(3);
  });

  test('[ASG15] [EVT9] an answer in an unassigned session claims it, in one transaction', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    await customer.post('hello');
    const message = await anna.post(customer.sessionId, 'good day');
    const events = (await customer.events()).events.slice(-3);
    expect(events.map(({ seq, type }) => `${seq} ${type}`)).toEqual([
      '3 chat.session.assigned',
      '4 chat.session.status',
      '5 chat.message',
    ]);
    expect(events[2]?.data).toMatchObject({ id: message.id });
    expect(await customer.session()).toMatchObject({ status: 'active', assigned_user_id: anna.userId });
  });

  test('[MSG16] a refused message neither reopens a closed session nor claims an unassigned one', async () => {
    const [customer, anna] = [await chat.customer(), await chat.staff('anna')];
    const bad = () => ({ ...messageRequest('with a file'), attachments: ['AAAAAAAAAAAAAAAAAAAAAA'] });
    const before = await customer.session();
    expectError(await anna.request('POST', `${customer.path}/messages`, { json: bad() }), 'validation_failed');
    expect(await customer.session()).toEqual(before);
    await act(anna, customer, 'close');
    const closed = await customer.session();
    expectError(await customer.request('POST', '/messages', { json: bad() }), 'validation_failed');
    expect(await customer.session()).toEqual(closed);
  });

  test('[ASG16] a session cannot be given to an unknown operator', async () => {
    const [customer, anna] = [await chat.customer(), await chat.staff('anna')];
    const user_id = 'nobody-of-that-id';
    expectError(await anna.act(customer.sessionId, 'assign', { user_id }), 'validation_failed');
    const path = `${customer.path}/assign`;
    const by = (key: string) => anna.request('POST', path, { json: { user_id }, headers: { 'X-Site-Key': key } });
    expectError(await by('not the key of the site'), 'bad_credentials');
    expect(await customer.session()).toMatchObject({ status: 'new', assigned_user_id: null, last_seq: 1 });
  });

  test('[ASG17] a transfer reaches the colleague, live and after a resume', async () => {
    const [customer, anna, boris] = [await chat.customer(), await chat.staff('anna'), await chat.staff('boris')];
    await act(anna, customer, 'assign');
    const channel = await chat.staffChannel(boris);
    const { cursor } = (await channel.ready()).data;
    await act(anna, customer, 'assign', { user_id: boris.userId });
    const told = { type: 'chat.session.assigned', data: { assigned_user_id: boris.userId, by: anna.userId } };
    const isTold = (frame: { type: string; session_id?: number | null; data: Record<string, unknown> }): boolean =>
      frame.type === told.type && frame.session_id === customer.sessionId && frame.data['by'] === anna.userId;
    expect(
      await channel.waitFor((frame) => isTold(frame) && frame.data['assigned_user_id'] === boris.userId),
    ).toMatchObject(told);
    await channel.close();
    const later = await chat.staffChannel(boris, { cursor: String(cursor) });
    expect(
      await later.waitFor((frame) => isTold(frame) && frame.data['assigned_user_id'] === boris.userId),
    ).toMatchObject(told);
  });

  test('[ASG2] of racing claims one wins, the others get 409 with the winner', async () => {
    const staff = [await chat.staff('anna'), await chat.staff('boris'), await chat.staff('admin')];
    for (let round = 0; round < 8; round += 1) {
      const customer = await chat.customer();
      const answers = await Promise.all(
        staff.flatMap((one) =>
          [one, one].map(async (who) => ({ who, answer: await who.act(customer.sessionId, 'assign') })),
        ),
      );
      const winners = new Set(answers.filter(({ answer }) => answer.status === 200).map(({ who }) => who.userId));
      expect(winners.size).toBe(1);
      const [winner] = winners;
      for (const { who, answer } of answers) {
        if (who.userId === winner) continue;
        expect(expectError(answer, 'already_assigned').details).toMatchObject({ assigned_user_id: winner });
      }
      expect(await customer.session()).toMatchObject({ assigned_user_id: winner, last_seq: 3 });
    }
  });

  test('[ASG4] transfer: by the assignee, by an admin, or when unassigned; not by a third operator', async () => {
    const customer = await chat.customer();
    const [anna, boris, admin] = [await chat.staff('anna'), await chat.staff('boris'), await chat.staff('admin')];
    expect((await act(admin, customer, 'assign', { user_id: boris.userId })).assigned_user_id).toBe(boris.userId);
    expectError(await anna.act(customer.sessionId, 'assign', { user_id: anna.userId }), 'already_assigned');
    expectError(await anna.act(customer.sessionId, 'assign', { user_id: admin.userId }), 'already_assigned');
    expect((await act(boris, customer, 'assign', { user_id: anna.userId })).assigned_user_id).toBe(anna.userId);
    expect((await act(admin, customer, 'assign', { user_id: boris.userId })).assigned_user_id).toBe(boris.userId);
    expect(await lastEvents(customer, 1)).toMatchObject([
      { data: { assigned_user_id: boris.userId, by: admin.userId } },
    ]);
    const free = await chat.customer();
    expect((await act(anna, free, 'assign', { user_id: boris.userId })).assigned_user_id).toBe(boris.userId);
  });

  test.each([{ user_id: '' }, { user_id: 7 }, { user_id: null }, { user_id: 'x'.repeat(201) }, { user_id: 'a\u0000' }])(
    '[ASG1] [ERR4] a bad user_id is 422: %j',
    async (json) => {
      const customer = await chat.customer();
      expectError(await (await chat.staff('anna')).act(customer.sessionId, 'assign', json), 'validation_failed');
      expect((await customer.session()).assigned_user_id).toBeNull();
    },
  );

  test('[ASG5] unassign: by the assignee or an admin, 409 by another, 200 when already unassigned', async () => {
    const customer = await chat.customer();
    const [anna, boris, admin] = [await chat.staff('anna'), await chat.staff('boris'), await chat.staff('admin')];
    expect((await act(anna, customer, 'unassign')).last_seq).toBe(1);
    await act(anna, customer, 'assign');
    expectError(await boris.act(customer.sessionId, 'unassign'), 'already_assigned');
    expect(await act(anna, customer, 'unassign')).toMatchObject({ status: 'new', assigned_user_id: null });
    expect(await lastEvents(customer, 2)).toMatchObject([
      { type: 'chat.session.assigned', data: { assigned_user_id: null, by: anna.userId } },
      { type: 'chat.session.status', data: { status: 'new', previous: 'active', reason: 'operator' } },
    ]);
    await act(boris, customer, 'assign');
    expect((await act(admin, customer, 'unassign')).assigned_user_id).toBeNull();
  });
});

describe('closing and reopening', () => {
  test('[ASG6] [ASG7] [EVT9] closing and reopening give one event each, and keep the assignee', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    await act(anna, customer, 'assign');
    expect(await act(anna, customer, 'close')).toMatchObject({ status: 'closed', last_seq: 4 });
    expect(await lastEvents(customer, 1)).toMatchObject([
      {
        type: 'chat.session.status',
        data: { status: 'closed', previous: 'active', reason: 'operator', by: anna.userId },
      },
    ]);
    expect((await act(anna, customer, 'close')).last_seq).toBe(4);
    const boris = await chat.staff('boris');
    expect(await act(boris, customer, 'reopen')).toMatchObject({
      status: 'active',
      assigned_user_id: anna.userId,
      last_seq: 5,
    });
    expect(await lastEvents(customer, 1)).toMatchObject([
      { type: 'chat.session.status', data: { status: 'active', previous: 'closed', reason: 'operator' } },
    ]);
    expect((await act(anna, customer, 'reopen')).last_seq).toBe(5);
    const free = await chat.customer();
    await act(anna, free, 'close');
    expect(await act(anna, free, 'reopen')).toMatchObject({ status: 'new', assigned_user_id: null, last_seq: 3 });
  });

  test('[ASG8] assigning or unassigning a closed session is 409', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    await act(anna, customer, 'close');
    expectError(await anna.act(customer.sessionId, 'assign'), 'invalid_transition');
    expectError(await anna.act(customer.sessionId, 'assign', { user_id: anna.userId }), 'invalid_transition');
    expectError(await anna.act(customer.sessionId, 'unassign'), 'invalid_transition');
  });

  test("[MSG8] a customer's message reopens: status, then message, consecutive", async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    await act(anna, customer, 'assign');
    await act(anna, customer, 'close');
    const message = await customer.post('Still there?');
    expect(await lastEvents(customer, 2)).toMatchObject([
      { type: 'chat.session.status', data: { status: 'new', previous: 'closed', reason: 'customer_message' } },
      { type: 'chat.message', data: { id: message.id } },
    ]);
    expect(await customer.session()).toMatchObject({ status: 'new', assigned_user_id: null, last_seq: 6 });
  });

  test('[MSG8] racing messages to a closed session reopen it once', async () => {
    const customer = await chat.customer();
    await act(await chat.staff('anna'), customer, 'close');
    await Promise.all(Array.from({ length: 8 }, (_, index) => customer.post(`m${index}`)));
    const { events } = await customer.events();
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 11 }, (_, index) => index + 1));
    expect(events.filter((event) => event.type === 'chat.session.status')).toHaveLength(2);
  });

  test("[MSG9] an operator's message to a closed session is 409, a note is not", async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    await act(anna, customer, 'close');
    expectError(await anna.send(customer.sessionId, 'Late'), 'session_closed');
    expect((await customer.session()).last_seq).toBe(2);
    await anna.note(customer.sessionId, 'for the record');
  });
});

describe('expected_seq', () => {
  test('[MSG10] another operator wrote, assigned or closed: 409 stale with the missed events', async () => {
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
    const overtakes: ((customer: Customer) => Promise<unknown>)[] = [
      (customer) => boris.post(customer.sessionId, 'I was faster'),
      (customer) => act(boris, customer, 'assign'),
      async (customer) => {
        await act(boris, customer, 'close');
        await customer.post('reopens');
      },
      async (customer) => {
        await act(boris, customer, 'close');
        await act(boris, customer, 'reopen');
      },
    ];
    for (const overtake of overtakes) {
      const customer = await chat.customer();
      await customer.post('question');
      await overtake(customer);
      const { last_seq } = await customer.session();
      const error = expectError(await anna.send(customer.sessionId, 'Answer', { expectedSeq: 2 }), 'stale');
      expect(error.details).toMatchObject({ last_seq });
      const { details } = error;
      const events: unknown[] =
        typeof details === 'object' && details !== null && 'events' in details && Array.isArray(details.events)
          ? details.events
          : [];
      expect(
        events.map((event) => (typeof event === 'object' && event !== null && 'seq' in event ? event.seq : undefined)),
      ).toEqual(Array.from({ length: last_seq - 2 }, (_, index) => index + 3));
      expect((await customer.session()).last_seq).toBe(last_seq);
      expect((await anna.send(customer.sessionId, 'Answer', { expectedSeq: last_seq })).status).toBe(201);
    }
  });

  test("[MSG11] customers' messages and one's own actions do not stop a send", async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    await customer.post('one');
    await customer.post('two');
    await act(anna, customer, 'assign');
    await anna.post(customer.sessionId, 'own');
    expect((await anna.send(customer.sessionId, 'Answer', { expectedSeq: 1 })).status).toBe(201);
    expect((await anna.send(customer.sessionId, 'Answer', { expectedSeq: 0 })).status).toBe(201);
  });

  test("[MSG10] a customer's expected_seq is ignored", async () => {
    const customer = await chat.customer();
    await (await chat.staff('boris')).post(customer.sessionId, 'Hello');
    const answer = await customer.request('POST', '/messages', { json: messageRequest('x', { expectedSeq: 1 }) });
    expect(answer.status).toBe(201);
  });

  test('[MSG10] racing answers of two operators with expected_seq: one is stopped', async () => {
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
    for (let round = 0; round < 6; round += 1) {
      const customer = await chat.customer();
      await customer.post('question');
      const answers = await Promise.all([
        anna.send(customer.sessionId, 'A', { expectedSeq: 2 }),
        boris.send(customer.sessionId, 'B', { expectedSeq: 2 }),
      ]);
      expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409]);
    }
  });
});
