import { ofType, until } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { channelTokenExpiringIn, streamSignature, unixNow } from '../../support/tokens.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main', { keepConnections: true });

/** Tests that mostly wait, side by side. */
describe.concurrent('rules about time', () => {
  test('[WS4] [CLS7] no auth frame within 5 s: 4408', async () => {
    const start = Date.now();
    const client = await chat.webSocket();
    const event = await client.closed(7_000);
    expect(event.code).toBe(4408);
    expect(event.at - start).toBeGreaterThan(4_500);
    expect(event.at - start).toBeLessThan(6_500);
  }, 10_000);

  test('[WS9] refresh in place: the new expiry, nothing sent again', async () => {
    const customer = await chat.customer();
    const short = channelTokenExpiringIn(customer.sessionId, 3);
    const client = await chat.webSocket({ query: { session: customer.sessionId, token: short, last_seq: 0 } });
    await client.waitFor((frame) => frame.seq === 1);
    client.send({ type: 'auth', session_id: customer.sessionId, token: customer.token });
    const refreshed = await client.waitFor(ofType('channel.refreshed'));
    expect(Date.parse(String(refreshed.data['expires_at']))).toBe(
      (Number(customer.token.split('.')[1]) + 86_400) * 1_000,
    );
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(client.closeEvent).toBeUndefined();
    const message = await customer.post('after the first expiry');
    await client.waitFor((frame) => frame.data['id'] === message.id);
    expect(client.log.durable().map((frame) => frame.seq)).toEqual([1, 2]);
  }, 15_000);

  test('[WS10] [CLS7] at its expiry the connection is closed 4401 within 1 s, SSE with channel.closed', async () => {
    const customer = await chat.customer();
    const token = channelTokenExpiringIn(customer.sessionId, 2);
    const expiresAt = (Number(token.split('.')[1]) + 86_400) * 1_000;
    const client = await chat.webSocket({ query: { session: customer.sessionId, token } });
    const sse = await chat.sse(`/channel/sse?session=${customer.sessionId}&token=${token}`);
    const event = await client.closed(6_000);
    expect(event.code).toBe(4401);
    expect(event.at - expiresAt).toBeGreaterThan(-50);
    expect(event.at - expiresAt).toBeLessThan(1_200);
    const closed = await sse.waitFor(ofType('channel.closed'));
    expect(closed.data['code']).toBe(4401);
    await sse.ended();
  }, 10_000);

  test('[SSE6] a comment at least every 15 s', async () => {
    const client = await chat.sseChannel(await chat.customer());
    await expect
      .poll(() => client.blocks.filter((block) => block.comments.length > 0).length, { timeout: 16_500, interval: 200 })
      .toBeGreaterThan(0);
  }, 20_000);

  test('[SSE9] when the link expires the stream ends with channel.closed 4401', async () => {
    const customer = await chat.customer();
    const expiresAt = unixNow() + 2;
    const client = await chat.sse(
      `/chat/${customer.sessionId}/stream?sig=${streamSignature(customer.sessionId, expiresAt)}`,
    );
    const closed = await client.waitFor(ofType('channel.closed'), { timeoutMs: 5_000 });
    expect(closed.data).toMatchObject({ code: 4401, reason: expect.any(String) });
    expect(closed.receivedAt - expiresAt * 1_000).toBeLessThan(1_200);
    await client.ended();
  });

  test('[POLL1] waits no longer than requested; 0 and no wait answer at once', async () => {
    const customer = await chat.customer();
    const poll = chat.poll(customer);
    const time = async (wait: number | undefined): Promise<number> => {
      const start = Date.now();
      expect((await poll.poll({ last_seq: 1, wait })).events).toEqual([]);
      return Date.now() - start;
    };
    expect(await time(0)).toBeLessThan(900);
    expect(await time(undefined)).toBeLessThan(900);
    const waited = await time(2);
    expect(waited).toBeGreaterThan(1_800);
    expect(waited).toBeLessThan(3_500);
  });

  test('[POLL7] a waiting poll ends when its token expires', async () => {
    const customer = await chat.customer();
    const token = channelTokenExpiringIn(customer.sessionId, 2);
    const start = Date.now();
    const answer = await chat.http.get(`/channel/poll?session=${customer.sessionId}&token=${token}&last_seq=1&wait=20`);
    expect(Date.now() - start).toBeLessThan(4_500);
    if (answer.status !== 200) expectError(answer, 'token_expired');
  });

  test('[POLL1] [POLL8] neither typing nor a read mark ends a poll or occurs in one', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const console = await chat.staffChannel(anna);
    const reply = await anna.post(customer.sessionId, 'reply');
    const { last_seq: head } = await chat.poll(customer).poll({});
    const waiting = chat.poll(customer).poll({ last_seq: head ?? 0, wait: 2 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    console.send({ type: 'typing', session_id: customer.sessionId, active: true });
    await customer.read(reply.id);
    expect((await waiting).events).toEqual([]);
  });

  test('[ACK2] an ack is clamped to what was sent here and never goes back', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const first = await anna.post(customer.sessionId, 'one');
    const second = await anna.post(customer.sessionId, 'two');
    const channel = await chat.channel(customer, { lastSeq: 0 });
    await channel.waitFor((frame) => frame.data['id'] === second.id);
    channel.send({ type: 'ack', last_id: second.id + 1_000_000 });
    await until(async () => (await anna.row(customer.sessionId)).client_last_seen_id > 0, { timeoutMs: 3_000 });
    expect((await anna.row(customer.sessionId)).client_last_seen_id).toBe(second.id);
    channel.send({ type: 'ack', last_id: first.id });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await anna.row(customer.sessionId)).client_last_seen_id).toBe(second.id);
  });

  test('[ACK4] [ACK3] POST /channel/ack for SSE and poll clients', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const message = await anna.post(customer.sessionId, 'polled');
    const poll = chat.poll(customer);
    await poll.poll({ last_seq: 0 });
    expect((await poll.ack(message.id)).status).toBe(204);
    await until(async () => (await anna.row(customer.sessionId)).client_last_seen_id === message.id, {
      timeoutMs: 2_000,
    });
    const inQuery = await chat.http.post(`/channel/ack?session=${customer.sessionId}&token=${customer.token}`, {
      json: { last_id: message.id + 5_000_000 },
    });
    expect(inQuery.status).toBe(204);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await anna.row(customer.sessionId)).client_last_seen_id).toBe(message.id);
  });
});
