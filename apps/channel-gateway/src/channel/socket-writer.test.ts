import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SocketWriter } from './socket-writer.ts';

let server: Server;
const sockets: Socket[] = [];

/** The server's end and the client's, which does not read until the test starts it. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const far = connect(address.port, '127.0.0.1');
  far.pause();
  const [near] = await accepted;
  near.setNoDelay(true);
  sockets.push(near, far);
  return { near, far };
}

async function readAll(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    total += chunk.length;
    if (total >= length) break;
  }
  return Buffer.concat(chunks);
}

function chunkOf(index: number, length: number): Buffer {
  return Buffer.alloc(length, `${index};`);
}

beforeEach(async () => {
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

describe('writes past the stream', () => {
  it('are possible with the Node version this project uses', async () => {
    const { near } = await pair();
    expect(new SocketWriter(near).direct).toBe(true);
  });

  it('leave nothing in the stream while the kernel accepts them', async () => {
    const { near, far } = await pair();
    const writer = new SocketWriter(near);
    for (let index = 0; index < 50; index += 1) writer.write(chunkOf(index, 200));
    expect([writer.queuedBytes, near.writableLength, writer.enqueuedBytes]).toEqual([0, 0, 10_000]);
    expect((await readAll(far, 10_000)).length).toBe(10_000);
  });

  it('arrive whole and in order at slow readers, whatever their sizes', async () => {
    const pairs = [await pair(), await pair(), await pair()];
    const writers = pairs.map(({ near }) => new SocketWriter(near));
    const sent: Buffer[] = [];
    let behind = 0;
    for (let index = 0; index < 3_000; index += 1) {
      // Mostly small frames; some are so large that they go through the stream.
      const chunk = chunkOf(index, index % 17 === 0 ? 40_000 : 1 + ((index * 7_919) % 9_000));
      sent.push(chunk);
      for (const writer of writers) {
        writer.write(chunk);
        behind = Math.max(behind, writer.queuedBytes);
      }
    }
    const expected = Buffer.concat(sent);
    expect(behind).toBeGreaterThan(1_000_000);
    for (const writer of writers) expect(writer.enqueuedBytes).toBe(expected.length);
    const read = await Promise.all(pairs.map(({ far }) => readAll(far, expected.length)));
    for (const bytes of read) expect(bytes.equals(expected)).toBe(true);
    for (const writer of writers) await expect.poll(() => writer.queuedBytes).toBe(0);
  });

  it('keep their order while the reader takes a little at a time', async () => {
    const { near, far } = await pair();
    const writer = new SocketWriter(near);
    const sent: Buffer[] = [];
    const received: Buffer[] = [];
    far.on('data', (chunk: Buffer) => received.push(chunk));
    far.pause();
    for (let index = 0; index < 400; index += 1) {
      const chunk = chunkOf(index, 15_000);
      sent.push(chunk);
      writer.write(chunk);
      if (index % 20 === 0) {
        far.resume();
        await new Promise((resolve) => setImmediate(resolve));
        far.pause();
      }
    }
    far.resume();
    await expect.poll(() => Buffer.concat(received).length).toBe(400 * 15_000);
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
  });

  it('report when a long queue has drained', async () => {
    const { near, far } = await pair();
    const writer = new SocketWriter(near);
    while (writer.queuedBytes < 500_000) writer.write(chunkOf(1, 10_000));
    const drained = new Promise<void>((resolve) => writer.whenDrained(resolve));
    far.resume();
    await drained;
    expect(writer.queuedBytes).toBe(0);
  });

  it('end the socket when the peer has reset it, and are harmless afterwards', async () => {
    const { near, far } = await pair();
    const writer = new SocketWriter(near);
    const errors: Error[] = [];
    near.on('error', (error) => errors.push(error));
    const closed = new Promise<void>((resolve) => near.once('close', () => resolve()));
    far.resetAndDestroy();
    const until = Date.now() + 10_000;
    while (!near.destroyed && Date.now() < until) {
      writer.write(chunkOf(1, 100));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect(errors).toHaveLength(1);
    for (let index = 0; index < 3; index += 1) writer.write(chunkOf(2, 100));
    expect(near.destroyed).toBe(true);
  });

  it('end the socket when the peer is lost with a queue waiting', async () => {
    const { near, far } = await pair();
    const writer = new SocketWriter(near);
    near.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => near.once('close', () => resolve()));
    while (writer.queuedBytes === 0) writer.write(chunkOf(1, 10_000));
    far.resetAndDestroy();
    await closed;
    writer.write(chunkOf(2, 100));
  });

  it('fail after the end of the stream and reach nobody', async () => {
    const { near, far } = await pair();
    const writer = new SocketWriter(near);
    near.on('error', () => undefined);
    writer.write(Buffer.from('last'));
    near.end();
    await once(near, 'finish');
    writer.write(Buffer.from('too late'));
    const chunks: Buffer[] = [];
    for await (const chunk of far as AsyncIterable<Buffer>) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('last');
  });
});
