import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Probe } from '../testing/probe.ts';

const MEGABYTE = 1_048_576;
/** Megabytes: more than a kernel buffers for an unread socket, which is up to 4 on one side and 32 on the other. */
const LARGE = 48;

let probe: Probe;
afterEach(() => probe.app.close());

interface Reader {
  readonly socket: Socket;
  readonly closed: Promise<void>;
}

/** Requests a large response and reads none of it. `ip`: as the trusted proxy reports. */
async function asksAndDoesNotRead(ip: string): Promise<Reader> {
  const socket = connect(Number(new URL(probe.base).port), '127.0.0.1');
  socket.pause();
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(`GET /chat/large/${LARGE} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${ip}\r\n\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { socket, closed };
}

/** A reader sees that its connection was cut: the response is incomplete. */
async function wasCut(reader: Reader): Promise<boolean> {
  let size = 0;
  const whole = new Promise<void>((resolve) =>
    reader.socket.on('data', (part: Buffer) => {
      size += part.length;
      if (size > LARGE * MEGABYTE) resolve();
    }),
  );
  reader.socket.resume();
  await Promise.race([reader.closed, whole]);
  reader.socket.destroy();
  return size < LARGE * MEGABYTE;
}

const dropped = (reason: string): number =>
  probe.lines.filter((line) => line.includes('nobody reads') && line.includes(`"reason":"${reason}"`)).length;

describe('unread responses', () => {
  it('[ERR19] are limited in total size: the oldest of the address that holds most is dropped', async () => {
    probe = await Probe.start({ maxBytes: 3.5 * LARGE * MEGABYTE, deadlineMs: 60_000 });
    const other = await asksAndDoesNotRead('10.0.0.1');
    const flood: Reader[] = [];
    for (let n = 0; n < 3; n += 1) flood.push(await asksAndDoesNotRead('10.0.0.2'));
    await expect.poll(() => dropped('too_much'), { timeout: 10_000 }).toBe(1);
    const [oldest, ...later] = flood;
    if (oldest === undefined) throw new Error('there is no flood');
    expect(await wasCut(oldest)).toBe(true);
    expect(await wasCut(other)).toBe(false);
    for (const reader of later) expect(await wasCut(reader)).toBe(false);
  });

  it('[ERR19] wait for a limited time, and a client that reads is not disconnected', async () => {
    probe = await Probe.start({ maxBytes: 3.5 * LARGE * MEGABYTE, deadlineMs: 3_000 });
    const asleep = await asksAndDoesNotRead('10.0.0.3');
    await expect.poll(() => dropped('too_long'), { timeout: 8_000 }).toBe(1);
    expect(await wasCut(asleep)).toBe(true);
    const answer = await probe.get('/chat/large/1');
    expect((await answer.text()).length).toBeGreaterThan(MEGABYTE);
  });
});
