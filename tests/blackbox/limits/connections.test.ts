import { type CloseEvent, ofType, type SseClient, type WebSocketClient } from '@chat-realtime/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { channelToken, unixNow } from '../../support/tokens.ts';

const chat = await useChat('limits', { keepConnections: true });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Close code of a newcomer, or undefined if it was let in. */
async function outcome(client: WebSocketClient): Promise<CloseEvent['code'] | undefined> {
  await Promise.race([client.ready(8_000).catch(() => undefined), client.closed(8_000)]);
  await pause(100);
  return client.closeEvent?.code;
}

function connectionId(client: WebSocketClient | SseClient): string {
  return String(client.frames.find(ofType('channel.ready'))?.data['connection_id']);
}

describe.concurrent('connections of a session', () => {
  test('[LIM1] five connections across all tokens and transports; the sixth gets 4529, the five stay', async () => {
    const customer = await chat.customer();
    const link = new URL((await customer.streamLink()).url, chat.baseUrl);
    const otherToken = channelToken(customer.sessionId, unixNow() - 100, { kid: 'k1' });
    const one = await chat.channel(customer);
    const two = await chat.webSocket({ query: { session: customer.sessionId, token: otherToken } });
    await two.ready();
    const sse = await chat.sseChannel(customer);
    const stream = await chat.sse(link.pathname + link.search);
    await stream.waitFor(ofType('channel.ready'));
    const waiting = chat.poll(customer).request({ last_seq: 1, wait: 8 });
    await pause(300);
    const sixth = await chat.webSocket({ query: { session: customer.sessionId, token: customer.token } });
    expect((await sixth.closed()).code).toBe(4529);
    expect(sixth.frames.some(ofType('channel.ready'))).toBe(false);
    const sixthSse = await chat.sse(`/channel/sse?session=${customer.sessionId}`, { token: customer.token });
    const closed = await sixthSse.waitFor(ofType('channel.closed'));
    expect([sixthSse.status, closed.data['code']]).toEqual([200, 4529]);
    await sixthSse.ended();
    expectError(await chat.poll(customer).request({ last_seq: 1, wait: 5 }), 'connection_limit');
    const message = await customer.post('for the five');
    for (const client of [one, two, sse, stream]) await client.waitFor((frame) => frame.data['id'] === message.id);
    expect((await waiting).text).toContain('for the five');
  }, 30_000);

  test('[LIM1] [POLL6] a poll that does not wait occupies no slot, and plain REST still works', async () => {
    const customer = await chat.customer();
    for (let index = 0; index < 5; index += 1) await chat.channel(customer);
    const head = await chat.poll(customer).request();
    expect([200, 429]).toContain(head.status);
    expect((await customer.request('GET', '/events')).status).toBe(200);
    await customer.post('still works');
  });

  test('[LIM4] the slot of a closed or cut connection is free at once', async () => {
    const customer = await chat.customer();
    const clients: WebSocketClient[] = [];
    for (let index = 0; index < 5; index += 1) clients.push(await chat.channel(customer));
    const [first, second] = clients;
    await first?.close();
    await pause(200);
    expect(
      await outcome(await chat.webSocket({ query: { session: customer.sessionId, token: customer.token } })),
    ).toBeUndefined();
    second?.terminate();
    await pause(300);
    expect(
      await outcome(await chat.webSocket({ query: { session: customer.sessionId, token: customer.token } })),
    ).toBeUndefined();
    expect(await outcome(await chat.webSocket({ query: { session: customer.sessionId, token: customer.token } }))).toBe(
      4529,
    );
  }, 30_000);

  test('[RES9] [LIM1] replaces frees that connection at once, in the query and in the auth frame', async () => {
    const customer = await chat.customer();
    const clients: WebSocketClient[] = [];
    for (let index = 0; index < 5; index += 1) clients.push(await chat.channel(customer));
    const [first, second] = clients;
    if (first === undefined || second === undefined) throw new Error('no connections');
    const inQuery = await chat.channel(customer, { replaces: connectionId(first) });
    expect(inQuery.closeEvent).toBeUndefined();
    const inFrame = await chat.webSocket();
    inFrame.send({
      type: 'auth',
      session_id: customer.sessionId,
      token: customer.token,
      replaces: connectionId(second),
    });
    await inFrame.ready();
    expect(await outcome(await chat.webSocket({ query: { session: customer.sessionId, token: customer.token } }))).toBe(
      4529,
    );
  }, 30_000);

  test("[RES9] another session's connection is not freed, an unknown id has no effect", async () => {
    const [customer, other] = [await chat.customer(), await chat.customer()];
    const foreign = await chat.channel(other);
    for (let index = 0; index < 5; index += 1) await chat.channel(customer);
    for (const replaces of [connectionId(foreign), 'unknown', '*', 'x'.repeat(64)]) {
      const client = await chat.webSocket({ query: { session: customer.sessionId, token: customer.token, replaces } });
      expect((await client.closed()).code, replaces).toBe(4529);
    }
    await foreign.roundTrip();
    expect(foreign.closeEvent).toBeUndefined();
  }, 30_000);

  test('[LIM1] a storm of connections never lets in more than five', async () => {
    const customer = await chat.customer();
    const clients = await Promise.all(
      Array.from({ length: 16 }, () =>
        chat.webSocket({ query: { session: customer.sessionId, token: customer.token } }),
      ),
    );
    const outcomes = await Promise.all(clients.map(outcome));
    expect(outcomes.filter((code) => code === undefined)).toHaveLength(5);
    expect(outcomes.filter((code) => code === 4529)).toHaveLength(11);
  }, 30_000);

  test('[WS12] [CLS7] pings come every interval; two missed pongs: 4408', async () => {
    const customer = await chat.customer();
    const good = await chat.channel(customer);
    expect((await good.ready()).data['ping_interval']).toBe(1);
    const deaf = await chat.channel(customer, { autoPong: false });
    const start = Date.now();
    const event = await deaf.closed(8_000);
    expect(event.code).toBe(4408);
    expect(event.at - start).toBeGreaterThan(1_900);
    expect(event.at - start).toBeLessThan(5_000);
    expect(good.pings.length).toBeGreaterThanOrEqual(2);
    expect(good.closeEvent).toBeUndefined();
  }, 15_000);

  test('[LIM4] [POLL6] waiting polls that the client gave up free their slots', async () => {
    const customer = await chat.customer();
    const poll = chat.poll(customer);
    for (let round = 0; round < 3; round += 1) {
      const cutOff = new AbortController();
      const waiting = Array.from({ length: 5 }, () =>
        poll.request({ last_seq: 1, wait: 20 }, cutOff.signal).catch(() => 'cut off'),
      );
      await pause(300);
      cutOff.abort();
      expect(await Promise.all(waiting)).toEqual(Array.from({ length: 5 }, () => 'cut off'));
      await pause(300);
    }
    expect(
      await outcome(await chat.webSocket({ query: { session: customer.sessionId, token: customer.token } })),
    ).toBeUndefined();
  });

  test('[LIM5] [WS12] a connection that missed a pong makes room for a new one and is closed 4408', async () => {
    const customer = await chat.customer();
    const deaf = await chat.channel(customer, { autoPong: false });
    for (let index = 0; index < 4; index += 1) await chat.channel(customer);
    await pause(2_300);
    expect(
      await outcome(await chat.webSocket({ query: { session: customer.sessionId, token: customer.token } })),
    ).toBeUndefined();
    expect((await deaf.closed()).code).toBe(4408);
  }, 20_000);
});

describe('connections of staff', () => {
  beforeEach(() => chat.closeAll());

  test('[LIM2] ten connections per staff sub across all transports; the eleventh gets 4529', async () => {
    const staff = await chat.foreignStaff();
    const clients: (WebSocketClient | SseClient)[] = [];
    for (let index = 0; index < 8; index += 1) clients.push(await chat.staffChannel(staff));
    for (let index = 0; index < 2; index += 1) {
      const sse = await chat.sse('/channel/sse?type=staff', { token: staff.token });
      await sse.waitFor(ofType('channel.ready'));
      clients.push(sse);
    }
    const eleventh = await chat.webSocket({ query: { type: 'staff', access_token: staff.token } });
    expect((await eleventh.closed()).code).toBe(4529);
    const sse = await chat.sse('/channel/sse?type=staff', { token: staff.token });
    expect((await sse.waitFor(ofType('channel.closed'))).data['code']).toBe(4529);
    const customer = await chat.customer();
    for (const client of clients) await client.waitFor((frame) => frame.session_id === customer.sessionId);
  }, 30_000);

  test('[LIM3] twenty operators; the twenty-first gets 4529, the twenty may open more', async () => {
    const operators = await Promise.all(
      Array.from({ length: 20 }, (_, index) => chat.foreignStaff({ sub: `limit-${index}` })),
    );
    const channels = [];
    for (const operator of operators) channels.push(await chat.staffChannel(operator));
    const late = await chat.foreignStaff({ sub: 'limit-late' });
    const refused = await chat.webSocket({ query: { type: 'staff', access_token: late.token } });
    expect((await refused.closed()).code).toBe(4529);
    expect((await late.request('GET', '/chat/sessions')).status).toBe(200);
    const [first] = operators;
    if (first === undefined) throw new Error('no operator');
    await chat.staffChannel(first);
    await channels.at(-1)?.close();
    await pause(300);
    await chat.staffChannel(late);
  }, 30_000);
});
