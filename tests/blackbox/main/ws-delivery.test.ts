import { ephemeralFrameSchema, sessionEventSchema, staffStateSchema } from '@chat-realtime/protocol';
import { messageRequest, ofType } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { durable, useChat } from '../../support/chat.ts';

const chat = await useChat('main');
const seqs = (frames: Parameters<typeof durable>[0]): (number | null)[] => durable(frames).map((frame) => frame.seq);

describe('delivery', () => {
  test('[RES1] [FRM1] without last_seq live begins after the head', async () => {
    const customer = await chat.customer();
    await customer.post('before');
    const client = await chat.channel(customer);
    expect((await client.ready()).data).toMatchObject({ from_seq: 2, last_seq: 2 });
    const anna = await chat.staff('anna');
    await anna.post(customer.sessionId, 'after');
    // Her first answer takes the chat: assignment, status, message.
    await client.waitFor((frame) => frame.seq === 5);
    expect(seqs(client.frames)).toEqual([3, 4, 5]);
    for (const frame of durable(client.frames)) sessionEventSchema.parse(JSON.parse(frame.raw));
  });

  test('[RES1] [RES3] with last_seq every later event follows, then live, in order', async () => {
    const customer = await chat.customer();
    for (let index = 0; index < 5; index += 1) await customer.post(`m${index}`);
    const client = await chat.channel(customer, { lastSeq: 2 });
    expect((await client.ready()).data).toMatchObject({ from_seq: 2, last_seq: 6 });
    await customer.post('live');
    await client.waitFor((frame) => frame.seq === 7);
    expect(seqs(client.frames)).toEqual([3, 4, 5, 6, 7]);
  });

  test('[RES5] connecting during a stream of posts loses and duplicates nothing', async () => {
    const customer = await chat.customer();
    const total = 60;
    const posting = (async () => {
      for (let index = 0; index < total; index += 1) await customer.post(`m${index}`);
    })();
    const clients = [];
    for (let index = 0; index < 4; index += 1) {
      clients.push(await chat.channel(customer, { lastSeq: 0 }));
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    await posting;
    const expected = Array.from({ length: total + 1 }, (_, index) => index + 1);
    for (const client of clients) {
      await client.waitFor((frame) => frame.seq === total + 1, { timeoutMs: 16_000 });
      expect(seqs(client.frames)).toEqual(expected);
    }
  }, 30_000);

  test('[RES8] a long session from 0, page after page, is complete', async () => {
    const customer = await chat.customer();
    const body = 'x'.repeat(2_000);
    const total = 180;
    for (let index = 0; index < total; index += 30) {
      await Promise.all(Array.from({ length: 30 }, () => customer.post(body)));
    }
    const client = await chat.channel(customer, { lastSeq: 0 });
    await client.waitFor((frame) => frame.seq === total + 1, { timeoutMs: 15_000 });
    expect(seqs(client.frames)).toEqual(Array.from({ length: total + 1 }, (_, index) => index + 1));
  }, 60_000);

  test('[RES4] a cursor ahead: ready with the head, then reset, then live events', async () => {
    const customer = await chat.customer();
    const client = await chat.channel(customer, { lastSeq: 50 });
    expect((await client.ready()).data).toMatchObject({ from_seq: 1, last_seq: 1 });
    const reset = await client.waitFor(ofType('channel.reset'));
    expect(reset.data['reason']).toBe('cursor_ahead');
    await customer.post('goes on');
    await client.waitFor((frame) => frame.seq === 2);
    const first = await chat.webSocket();
    first.send({ type: 'auth', session_id: customer.sessionId, token: customer.token, last_seq: 99 });
    expect((await first.waitFor(ofType('channel.reset'))).data['reason']).toBe('cursor_ahead');
  });

  test.each(['abc', '-1', '1.5', '1e3', '9007199254740992'])(
    '[RES4] an unreadable cursor (%s): reset cursor_unknown',
    async (cursor) => {
      const customer = await chat.customer();
      const client = await chat.channel(customer, { query: { last_seq: cursor } });
      expect((await client.waitFor(ofType('channel.reset'))).data['reason']).toBe('cursor_unknown');
      await customer.post('goes on');
      await client.waitFor((frame) => frame.seq === 2);
    },
  );

  test('[STF6] [SES11] a customer gets nothing of other sessions and nothing of staff', async () => {
    const [customer, other] = [await chat.customer(), await chat.customer({ name: 'Foreign' })];
    const anna = await chat.staff('anna');
    const client = await chat.channel(customer, { lastSeq: 0 });
    await other.post('not for you');
    await anna.note(customer.sessionId, 'not for you either');
    await anna.post(other.sessionId, 'nor this');
    const mine = await customer.post('mine');
    await client.waitFor((frame) => frame.data['id'] === mine.id);
    await client.roundTrip();
    for (const frame of client.frames) {
      expect([null, customer.sessionId]).toContain(frame.session_id);
      expect(frame.raw).not.toContain('not for you');
      expect(['chat.alert', 'chat.note', 'chat.message.client']).not.toContain(frame.type);
    }
  });

  test('[WS11] ping is answered by channel.pong', async () => {
    const client = await chat.channel(await chat.customer());
    await client.roundTrip();
    expect(client.frames.filter(ofType('channel.pong'))).toHaveLength(1);
  });

  test('[MSG2] delivered within a second of the post', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const client = await chat.channel(customer);
    const console = await chat.staffChannel(anna);
    await customer.post('warm');
    const times: number[] = [];
    for (let index = 0; index < 20; index += 1) {
      const start = Date.now();
      const request = messageRequest(`t${index}`);
      await anna.request('POST', `${customer.path}/messages`, { json: request });
      const isIt = (frame: { data: Readonly<Record<string, unknown>> }): boolean =>
        frame.data['client_message_id'] === request['client_message_id'];
      const [one, two] = await Promise.all([client.waitFor(isIt), console.waitFor(isIt)]);
      times.push(Math.max(one.receivedAt, two.receivedAt) - start);
    }
    times.sort((a, b) => a - b);
    expect(times[10]).toBeLessThan(500);
    expect(times.at(-1)).toBeLessThan(2_000);
  });
});

describe('ephemeral frames', () => {
  test('[FRM4] [FRM3] typing reaches the other side, not its sender', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const client = await chat.channel(customer);
    const secondTab = await chat.channel(customer);
    const console = await chat.staffChannel(anna);
    client.send({ type: 'typing', active: true });
    const atStaff = await console.waitFor(
      (frame) => frame.type === 'chat.typing' && frame.session_id === customer.sessionId,
    );
    ephemeralFrameSchema.parse(JSON.parse(atStaff.raw));
    expect(atStaff.data).toMatchObject({ by: 'client', active: true });
    expect(atStaff.seq).toBeNull();
    console.send({ type: 'typing', session_id: customer.sessionId, active: true });
    const atCustomer = await client.waitFor((frame) => frame.type === 'chat.typing' && frame.data['by'] === 'staff');
    expect(atCustomer.data).toMatchObject({ active: true, user_id: anna.userId });
    await secondTab.waitFor((frame) => frame.type === 'chat.typing' && frame.data['by'] === 'staff');
    client.send({ type: 'typing', session_id: customer.sessionId, active: false });
    await console.waitFor(
      (frame) =>
        frame.type === 'chat.typing' && frame.session_id === customer.sessionId && frame.data['active'] === false,
    );
    await client.roundTrip();
    expect(client.frames.filter((frame) => frame.type === 'chat.typing' && frame.data['by'] === 'client')).toEqual([]);
    expect((await customer.session()).last_seq).toBe(1);
  });

  test('[FRM5] [FRM6] presence: who is connected and what they view; a customer sees only a number', async () => {
    const customer = await chat.customer();
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
    const client = await chat.channel(customer);
    const console = await chat.staffChannel(anna);
    const other = await chat.staffChannel(boris);
    other.send({ type: 'viewing', session_id: customer.sessionId });
    const seen = await console.waitFor(
      (frame) =>
        frame.type === 'chat.presence' &&
        staffUsers(frame.data).some((user) => user.id === boris.userId && user.viewing === customer.sessionId),
      { timeoutMs: 16_000, label: 'presence with viewing' },
    );
    expect(staffUsers(seen.data).find((user) => user.id === boris.userId)?.state).toBe('online');
    const ready = await (await chat.staffChannel(anna)).ready();
    expect(staffStateSchema.parse(ready.data['state']).users.map((user) => user.id)).toEqual(
      expect.arrayContaining([anna.userId, boris.userId]),
    );
    other.send({ type: 'viewing', session_id: null });
    const from = console.frames.indexOf(seen);
    await console.waitFor(
      (frame) =>
        frame.type === 'chat.presence' &&
        staffUsers(frame.data).some((user) => user.id === boris.userId && user.viewing === undefined),
      { from, timeoutMs: 16_000 },
    );
    // Both may have been online already when the customer came: what surely changes their number is that one leaves.
    other.terminate();
    const presence = await client.waitFor((frame) => frame.type === 'chat.presence', { timeoutMs: 16_000 });
    expect(Object.keys(presence.data)).toEqual(['operators_online']);
  }, 60_000);
});

interface User {
  readonly id: string;
  readonly state: string;
  readonly viewing?: number | undefined;
}

function staffUsers(data: Readonly<Record<string, unknown>>): User[] {
  return staffStateSchema.shape.users.parse(data['users']);
}
