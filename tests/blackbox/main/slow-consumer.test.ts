import { expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';

const chat = await useChat('main');

/** Created, assigned, active: what stands before the messages. */
const FIRST = 3;

test('[CLS4] a client that does not read is shed, the others are not delayed, and it resumes without loss', async () => {
  const customer = await chat.customer();
  const anna = await chat.staff('anna');
  const slow = await chat.channel(customer, { lastSeq: 0 });
  const quick = await chat.channel(customer, { lastSeq: 0 });
  await anna.act(customer.sessionId, 'assign');
  await slow.waitFor((frame) => frame.seq === 1);
  slow.socket.pause();
  // 30 KB each: the buffers of both kernels take some MB before the server's own queue grows.
  const body = '😀'.repeat(7_500);
  const total = 500;
  const delays: number[] = [];
  for (let index = 0; index < total; index += 10) {
    const start = Date.now();
    await Promise.all(Array.from({ length: 10 }, () => anna.post(customer.sessionId, body)));
    const head = index + 10 + FIRST;
    await quick.waitFor((frame) => frame.seq === head, { timeoutMs: 5_000 });
    delays.push(Date.now() - start);
  }
  delays.sort((a, b) => a - b);
  expect(delays[Math.floor(delays.length * 0.9)]).toBeLessThan(1_500);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  slow.socket.resume();
  const event = await slow.closed(15_000);
  // With a full window the close frame itself may not get through: then the connection is cut, which is 1006 here.
  expect([4413, 1006]).toContain(event.code);
  const got = slow.log.durable().map((frame) => frame.seq ?? 0);
  expect(got).toEqual(got.map((_, index) => index + 1));
  expect(got.length).toBeLessThan(total);
  const again = await chat.channel(customer, { lastSeq: got.length });
  await again.waitFor((frame) => frame.seq === total + FIRST, { timeoutMs: 15_000 });
  expect(again.log.durable().map((frame) => frame.seq)).toEqual(
    Array.from({ length: total + FIRST - got.length }, (_, index) => got.length + 1 + index),
  );
}, 90_000);
