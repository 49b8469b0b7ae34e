import { ofType, type SseClient, WebSocketClient, type WebSocketClient as Socket } from '@chat-realtime/testkit';
import { expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';

const chat = await useChat('limits', { survives: false });
const DRAIN_MS = 3_000;

test('[DRN1] [POLL7] [SSE8] [OPS5] SIGTERM: goodbye spread over the time, served until then, 1012, exit code 0', async () => {
  const customers = await Promise.all(Array.from({ length: 10 }, () => chat.customer()));
  const sockets: Socket[] = [];
  for (const customer of customers) sockets.push(await chat.channel(customer));
  const staff = await chat.foreignStaff();
  sockets.push(await chat.staffChannel(staff));
  const [first] = customers;
  if (first === undefined) throw new Error('no customer');
  const streams: SseClient[] = [await chat.sseChannel(first), await chat.sseChannel(first)];
  const waiting = chat.poll(first).request({ last_seq: 1, wait: 25 });
  await new Promise((resolve) => setTimeout(resolve, 300));

  const start = Date.now();
  const exit = chat.terminateGateway();
  const delays: number[] = [];
  for (const socket of sockets) {
    const goodbye = await socket.waitFor(ofType('channel.goodbye'), { label: 'channel.goodbye' });
    const delay = Number(goodbye.data['reconnect_in_ms']);
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThanOrEqual(DRAIN_MS);
    delays.push(delay);
  }
  expect(Math.max(...delays) - Math.min(...delays), 'the goodbyes are spread').toBeGreaterThan(DRAIN_MS / 4);
  const late = await WebSocketClient.open(chat.baseUrl, {
    query: { session: first.sessionId, token: first.token },
  }).then(
    (client) => client.closed().then((event) => event.code),
    () => 'refused',
  );
  expect([1013, 'refused']).toContain(late);
  for (const [index, socket] of sockets.entries()) {
    const event = await socket.closed(DRAIN_MS + 3_000);
    expect(event.code).toBe(1012);
    const due = start + (delays[index] ?? 0);
    expect(event.at, 'served until its own time').toBeGreaterThan(due - 250);
  }
  for (const stream of streams) {
    const closed = await stream.waitFor(ofType('channel.closed'), { timeoutMs: DRAIN_MS + 3_000 });
    expect(closed.data['code']).toBe(1012);
    expect(stream.frames.some(ofType('channel.goodbye'))).toBe(true);
    await stream.ended();
  }
  const polled = await waiting;
  expect([200, 503]).toContain(polled.status);
  expect(Date.now() - start).toBeLessThan(DRAIN_MS + 6_000);
  expect(await exit).toBe(0);
}, 40_000);
