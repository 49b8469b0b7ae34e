import { until } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main');

describe('read marks', () => {
  test('[RD1] [RD2] the mark moves forward, is clamped to the newest message and never goes back', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const first = await anna.post(customer.sessionId, 'one');
    const second = await anna.post(customer.sessionId, 'two');
    expect(await customer.read(first.id)).toBe(first.id);
    expect(await customer.read(second.id + 1_000_000)).toBe(second.id);
    expect(await customer.read(first.id)).toBe(second.id);
    expect(await customer.read(0)).toBe(second.id);
    expect(await anna.read(customer.sessionId, first.id)).toBe(first.id);
  });

  test('[RD1] in a session without messages the mark stays 0', async () => {
    const customer = await chat.customer();
    expect(await customer.read(999)).toBe(0);
  });

  test.each([{ last_id: -1 }, { last_id: 1.5 }, { last_id: '1' }, { last_id: null }, {}, { last_id: 2 ** 53 }])(
    '[RD1] [ERR4] a bad mark is 422: %j',
    async (json) => {
      const customer = await chat.customer();
      expectError(await customer.request('POST', '/read', { json }), 'validation_failed');
    },
  );

  test('[RD2] racing marks end at the largest', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const ids: number[] = [];
    for (let index = 0; index < 10; index += 1) ids.push((await anna.post(customer.sessionId, `m${index}`)).id);
    await Promise.all([...ids].reverse().map((id) => customer.read(id)));
    expect(await customer.read(0)).toBe(ids.at(-1));
  });

  test('[RD3] [WS14] a read message is delivered too, in the state of channel.ready on both sides', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const message = await anna.post(customer.sessionId, 'read me');
    await customer.read(message.id);
    const channel = await chat.channel(customer);
    const ready = await channel.ready();
    expect(ready.data['state']).toMatchObject({ client: { delivered_id: message.id, read_id: message.id } });
    const row = await anna.row(customer.sessionId);
    expect(row.client_read_id).toBe(message.id);
    expect(row.client_last_seen_id).toBeGreaterThanOrEqual(message.id);
  });

  test('[RD7] each side gets the other’s marks as chat.read', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    await anna.act(customer.sessionId, 'assign');
    await customer.post('to staff');
    const fromStaff = await anna.post(customer.sessionId, 'to customer');
    const channel = await chat.channel(customer);
    const console = await chat.staffChannel(anna);
    await customer.read(fromStaff.id);
    const seen = await console.waitFor(
      (frame) => frame.type === 'chat.read' && frame.session_id === customer.sessionId && frame.data['by'] === 'client',
      { label: 'chat.read by client' },
    );
    expect(seen.data).toMatchObject({ read_id: fromStaff.id });
    expect(seen.seq).toBeNull();
    const fromCustomer = await customer.post('to staff again');
    await anna.read(customer.sessionId, fromCustomer.id);
    const back = await channel.waitFor(
      (frame) =>
        frame.type === 'chat.read' && frame.data['by'] === 'staff' && Number(frame.data['read_id']) >= fromCustomer.id,
      { label: 'chat.read by staff' },
    );
    expect(back.session_id).toBe(customer.sessionId);
  });
});

describe('unread and waiting', () => {
  test('[RD4] [RD5] unread counts customer messages after the team mark', async () => {
    const customer = await chat.customer();
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
    const unread = async (): Promise<number> => (await anna.row(customer.sessionId)).unread_count;
    expect(await unread()).toBe(0);
    const ids: number[] = [];
    for (let index = 0; index < 3; index += 1) ids.push((await customer.post(`q${index}`)).id);
    expect(await unread()).toBe(3);
    await anna.act(customer.sessionId, 'assign');
    await boris.read(customer.sessionId, ids[2] ?? 0);
    expect(await unread()).toBe(3);
    await anna.read(customer.sessionId, ids[0] ?? 0);
    expect(await unread()).toBe(2);
    await anna.read(customer.sessionId, ids[2] ?? 0);
    expect(await unread()).toBe(0);
    await customer.post('again');
    expect(await unread()).toBe(1);
    await boris.post(customer.sessionId, 'answered by a colleague');
    expect(await unread()).toBe(0);
  });

  test('[RD5] in an unassigned session, reading does not move the team mark, and replying does', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const { id } = await customer.post('question');
    await anna.read(customer.sessionId, id);
    expect((await anna.row(customer.sessionId)).unread_count).toBe(1);
    await anna.post(customer.sessionId, 'answer');
    expect((await anna.row(customer.sessionId)).unread_count).toBe(0);
  });

  test('[RD4] unread is exact after every commit of concurrent writers', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    await Promise.all(Array.from({ length: 20 }, (_, index) => customer.post(`m${index}`)));
    expect((await anna.row(customer.sessionId)).unread_count).toBe(20);
  });

  test('[RD6] waiting_since is the first unanswered message; an answer clears it and closing hides it', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const waiting = async (): Promise<string | null> => (await anna.row(customer.sessionId)).waiting_since;
    expect(await waiting()).toBeNull();
    const first = await customer.post('first');
    const second = await customer.post('second');
    const since = await waiting();
    expect(Date.parse(since ?? '')).toBe(Date.parse(first.created_at));
    await anna.act(customer.sessionId, 'assign');
    await anna.read(customer.sessionId, second.id);
    expect(await waiting()).toBe(since);
    await anna.note(customer.sessionId, 'a note is no answer');
    expect(await waiting()).toBe(since);
    await anna.post(customer.sessionId, 'answer');
    expect(await waiting()).toBeNull();
    const third = await customer.post('third');
    expect(Date.parse((await waiting()) ?? '')).toBe(Date.parse(third.created_at));
    await anna.act(customer.sessionId, 'close');
    expect(await waiting()).toBeNull();
  });

  test('[RD6] closing hides the wait, reopening by an operator restores it, by a customer starts it anew', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const waiting = async (): Promise<string | null> => (await anna.row(customer.sessionId)).waiting_since;
    await customer.post('never answered');
    const since = await waiting();
    const count = async (): Promise<number> => (await anna.alerts()).waiting_count;
    const open = await count();
    await anna.act(customer.sessionId, 'close');
    expect([await waiting(), await count()]).toEqual([null, open - 1]);
    await anna.act(customer.sessionId, 'reopen');
    expect([await waiting(), await count()]).toEqual([since, open]);
    await anna.act(customer.sessionId, 'close');
    const again = await customer.post('anybody there?');
    expect(Date.parse((await waiting()) ?? '')).toBe(Date.parse(again.created_at));
  });
});

describe('acks', () => {
  test('[ACK1] [ACK3] [INB2] an ack appears in the inbox within 2 s, and for staff as chat.read', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const channel = await chat.channel(customer);
    const console = await chat.staffChannel(anna);
    const message = await anna.post(customer.sessionId, 'delivered?');
    await channel.waitFor((frame) => frame.data['id'] === message.id);
    channel.send({ type: 'ack', last_id: message.id });
    await until(async () => (await anna.row(customer.sessionId)).client_last_seen_id === message.id, {
      timeoutMs: 2_000,
      what: 'client_last_seen_id in the inbox',
    });
    const read = await console.waitFor(
      (frame) =>
        frame.type === 'chat.read' &&
        frame.session_id === customer.sessionId &&
        frame.data['delivered_id'] === message.id,
    );
    expect(read.data).toMatchObject({ by: 'client', read_id: 0 });
  });

  test('[ACK4] a bad ack is refused: credentials, form, other sessions', async () => {
    const customer = await chat.customer();
    const other = await chat.customer();
    const path = `/channel/ack?session=${customer.sessionId}`;
    expectError(await chat.http.post(path, { json: { last_id: 1 } }), 'missing_credentials');
    expectError(await chat.http.post(path, { token: other.token, json: { last_id: 1 } }), 'bad_token');
    for (const json of [{}, { last_id: '1' }, { last_id: -1 }, { last_id: 1.5 }, { last_id: 2 ** 53 }]) {
      expectError(await chat.http.post(path, { token: customer.token, json }), 'validation_failed');
    }
    const broken = await chat.http.post(path, {
      token: customer.token,
      raw: '{',
      headers: { 'Content-Type': 'application/json' },
    });
    expectError(broken, 'malformed_request');
  });
});
