import { connect as connectRabbit } from 'amqplib';
import { createClient } from '@redis/client';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ManagedServer } from './managed-server.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { isAlive, processTree } from './process-tree.ts';
import { startRabbit } from './rabbit.ts';
import { startRedis } from './redis.ts';
import { sleep } from './wait.ts';

async function redis(url: string, args: string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 1_000 } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(args);
  } finally {
    client.destroy();
  }
}

describe('startRedis', () => {
  let server: ManagedServer;
  beforeAll(async () => {
    server = await startRedis({ appendOnly: true });
  });
  afterAll(() => server.stop());

  it('keeps its data across a restart and loses them by wipe', async () => {
    await redis(server.url, ['SET', 'k', 'v']);
    const { port, pid } = server;
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    expect(isAlive(pid)).toBe(false);
    expect(await redis(server.url, ['GET', 'k'])).toBe('v');
    await server.wipe();
    expect(await redis(server.url, ['GET', 'k'])).toBe(null);
  });

  it('answers nothing while paused and continues afterwards', async () => {
    server.pause();
    const answer = redis(server.url, ['PING']);
    await expect(Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 300, 'silence'))])).resolves.toBe(
      'silence',
    );
    server.resume();
    await expect(answer).resolves.toBe('PONG');
  });

  it('refuses connections after kill', async () => {
    await server.kill();
    expect(server.running).toBe(false);
    await expect(redis(server.url, ['PING'])).rejects.toThrow();
    await server.start();
    await expect(redis(server.url, ['PING'])).resolves.toBe('PONG');
  });
});

describe('startPostgres', () => {
  let server: PostgresServer;
  const query = async (url: string, sql: string): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  it('keeps committed rows through kill -9 of the whole tree and loses them by wipe', async () => {
    await query(server.url, 'create table t (n int)');
    await query(server.url, 'insert into t values (7)');
    const tree = processTree(server.pid);
    expect(tree.length).toBeGreaterThan(3);
    await server.kill();
    expect(tree.filter(isAlive)).toEqual([]);
    await server.start();
    expect(await query(server.url, 'select n from t')).toEqual([{ n: 7 }]);
    await server.wipe();
    await expect(query(server.url, 'select n from t')).rejects.toThrow('does not exist');
  });

  it('creates further databases and listens only on loopback', async () => {
    const url = await server.createDatabase();
    expect(await query(url, "select current_setting('listen_addresses') as a")).toEqual([{ a: '127.0.0.1' }]);
    expect(await query(url, "select current_setting('synchronous_commit') as s")).toEqual([{ s: 'on' }]);
  });
});

describe('startRabbit', () => {
  let server: ManagedServer;
  beforeAll(async () => {
    server = await startRabbit();
  }, 120_000);
  afterAll(() => server.stop(), 60_000);

  const depth = async (): Promise<number | null> => {
    const connection = await connectRabbit(server.url);
    connection.on('error', () => undefined);
    try {
      const channel = await connection.createChannel();
      channel.on('error', () => undefined);
      return (await channel.checkQueue('q')).messageCount;
    } catch (error) {
      if (error instanceof Error && error.message.includes('NOT_FOUND')) return null;
      throw error;
    } finally {
      await connection.close().catch(() => undefined);
    }
  };

  it('keeps confirmed messages of a quorum queue through kill -9, and loses all by wipe', async () => {
    const connection = await connectRabbit(server.url);
    connection.on('error', () => undefined);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue('q', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    // RabbitMQ 3.10 writes a new quorum queue's name to disk after half a second; killed earlier, the queue is lost.
    // A busy machine takes longer.
    await sleep(4_000);
    channel.sendToQueue('q', Buffer.from('hello'), { persistent: true });
    await channel.waitForConfirms();
    const tree = processTree(server.pid);
    await server.kill();
    expect(tree.filter(isAlive)).toEqual([]);
    await server.start();
    await expect.poll(depth, { timeout: 20_000 }).toBe(1);
    await server.wipe();
    expect(await depth()).toBe(null);
  }, 120_000);

  it('stops with everything it started, including epmd', async () => {
    const tree = processTree(server.pid);
    expect(tree.length).toBeGreaterThan(1);
    await server.stop();
    expect(tree.filter(isAlive)).toEqual([]);
  }, 120_000);
});
