import { connect, createServer, type Server, type Socket } from 'node:net';
import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ManagedServer } from './managed-server.ts';
import { freePort } from './ports.ts';
import { startRedis } from './redis.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { sleep, until } from './wait.ts';

interface Peer {
  socket: Socket;
  received(): string;
  ended: Promise<string>;
}

function dial(port: number): Peer {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = new Promise<string>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('close', () => resolve('closed'));
  });
  return { socket, received: () => text, ended };
}

describe('TcpProxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  beforeAll(async () => {
    const port = await freePort();
    echo = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(port, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => echo.close(resolve)));
  beforeEach(async () => {
    const address = echo.address();
    if (address === null || typeof address === 'string') throw new Error('the echo server has no port');
    proxy = await TcpProxy.start({ target: `127.0.0.1:${address.port}` });
  });
  afterEach(() => proxy.close());

  const roundTrip = async (peer: Peer, text: string): Promise<number> => {
    const start = performance.now();
    const before = peer.received().length;
    peer.socket.write(text);
    await until(() => peer.received().length >= before + text.length, { everyMs: 2, timeoutMs: 15_000 });
    return performance.now() - start;
  };

  it('passes bytes and the end of a stream', async () => {
    const peer = dial(proxy.port);
    await roundTrip(peer, 'hello');
    expect(peer.received()).toBe('hello');
    peer.socket.end();
    expect(await peer.ended).toBe('closed');
    await until(() => proxy.connections === 0);
  });

  it('adds latency without changing the order', async () => {
    const peer = dial(proxy.port);
    await roundTrip(peer, 'x');
    proxy.latency(100, 30);
    const text = Array.from({ length: 200 }, (_, index) => `${index};`).join('');
    expect(await roundTrip(peer, text)).toBeGreaterThanOrEqual(195);
    expect(peer.received()).toBe(`x${text}`);
    peer.socket.destroy();
  });

  it('limits the bandwidth', async () => {
    const peer = dial(proxy.port);
    proxy.bandwidth(20_000);
    expect(await roundTrip(peer, 'x'.repeat(10_000))).toBeGreaterThan(400);
    peer.socket.destroy();
  });

  it('resets, refuses while down, and recovers', async () => {
    const peer = dial(proxy.port);
    await roundTrip(peer, 'x');
    proxy.reset();
    expect(await peer.ended).toBe('ECONNRESET');
    await proxy.down();
    expect(await dial(proxy.port).ended).toBe('ECONNREFUSED');
    await proxy.heal();
    const again = dial(proxy.port);
    await roundTrip(again, 'y');
    again.socket.destroy();
  });

  it('swallows everything while half-open, without closing', async () => {
    const peer = dial(proxy.port);
    await roundTrip(peer, 'x');
    proxy.halfOpen();
    peer.socket.write('lost');
    await sleep(200);
    expect(peer.received()).toBe('x');
    expect(peer.socket.destroyed).toBe(false);
    await proxy.heal();
    expect(await peer.ended).toBe('ECONNRESET');
  });

  it('cuts a connection after a number of bytes', async () => {
    proxy.limit(1_000);
    const peer = dial(proxy.port);
    peer.socket.write('x'.repeat(5_000));
    expect(await peer.ended).toBe('ECONNRESET');
  });

  it('keeps the rest of a url', () => {
    expect(proxy.urlFor('amqp://u:p@127.0.0.1:5672')).toBe(`amqp://u:p@127.0.0.1:${proxy.port}`);
    expect(proxy.urlFor('postgres://u:p@host:5432/chat?x=1')).toBe(`postgres://u:p@127.0.0.1:${proxy.port}/chat?x=1`);
  });
});

describe('dropPublish', () => {
  let redis: ManagedServer;
  let proxy: TcpProxy;
  beforeAll(async () => {
    redis = await startRedis();
    proxy = await TcpProxy.start({ target: redis.port, redis: true });
  });
  afterAll(async () => {
    await proxy.close();
    await redis.stop();
  });

  it('loses exactly the chosen message; the publisher gets its replies in order', async () => {
    const subscriber = createClient({ url: redis.url });
    const publisher = createClient({ url: proxy.urlFor(redis.url) });
    for (const client of [subscriber, publisher]) client.on('error', () => undefined);
    await Promise.all([subscriber.connect(), publisher.connect()]);
    const got: string[] = [];
    await subscriber.subscribe(['chat:1', 'chat:2'], (message, channel) => void got.push(`${channel} ${message}`));

    const drop = proxy.dropPublish({ channel: /^chat:1$/, skip: 1 });
    const payload = 'ж'.repeat(40_000);
    const answers = await Promise.all([
      ...['a', 'b', `c${payload}`].map((text) => publisher.publish('chat:1', text)),
      publisher.publish('chat:2', 'd'),
      publisher.set('key', 'value'),
    ]);
    expect(answers).toEqual([1, 0, 1, 1, 'OK']);
    await until(() => got.length === 3);
    expect(got).toEqual(['chat:1 a', `chat:1 c${payload}`, 'chat:2 d']);
    expect(drop.payloads).toEqual(['b']);
    expect(drop.dropped).toBe(1);

    const byPayload = proxy.dropPublish({ channel: 'chat:2', payload: /"seq":7/, count: Infinity });
    await Promise.all([publisher.publish('chat:2', '{"seq":7}'), publisher.publish('chat:2', '{"seq":8}')]);
    await until(() => got.length === 4);
    expect(got.at(-1)).toBe('chat:2 {"seq":8}');
    byPayload.end();
    await publisher.publish('chat:2', '{"seq":7}');
    await until(() => got.length === 5);
    publisher.destroy();
    subscriber.destroy();
  });
});
