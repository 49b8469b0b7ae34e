import { createClient } from '@redis/client';
import { type ManagedServer, sleep, startRedis, until } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fanout, FanoutState } from '../ports/fanout.ts';
import { fanoutSuite, publishTo, recorder } from '../testing/fanout-suite.ts';
import { lastSeenSuite } from '../testing/last-seen-suite.ts';
import { leasesSuite } from '../testing/leases-suite.ts';
import { testLogger } from '../testing/samples.ts';
import { connectRedisFanout } from './fanout.ts';
import { createRedisLastSeen } from './last-seen.ts';
import { createRedisLeases } from './leases.ts';

const PREFIX = 'p[1]:';
const DETECTION = { timeoutMs: 15_000 };
let server: ManagedServer;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

function keep<T extends { close(): Promise<void> }>(adapter: T): T {
  open.push(adapter);
  return adapter;
}
async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((adapter) => adapter.close()));
}
const options = () => ({ url: server.url, prefix: PREFIX, logger: testLogger });
const newFanout = (): Fanout => keep(connectRedisFanout(options()));
const newLeases = (heartbeatSeconds = 1) => keep(createRedisLeases({ ...options(), heartbeatSeconds }));
const newLastSeen = (ttlSeconds = 100) => keep(createRedisLastSeen({ ...options(), ttlSeconds }));

async function command(...args: string[]): Promise<unknown> {
  const client = createClient({ url: server.url, socket: { reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(args);
  } finally {
    client.destroy();
  }
}

async function clusterLeases(heartbeatSeconds?: number) {
  const leases = newLeases(heartbeatSeconds);
  await until(() => leases.mode === 'cluster', DETECTION);
  return leases;
}

fanoutSuite('redis', async () => ({ fanout: newFanout(), cleanUp: closeAll }));
leasesSuite('redis', async () => {
  await command('FLUSHALL');
  return { leases: await clusterLeases(), cleanUp: closeAll };
});
lastSeenSuite('redis', async () => {
  await command('FLUSHALL');
  const lastSeen = newLastSeen();
  await until(() => lastSeen.read(1).then(() => true));
  return { lastSeen, cleanUp: closeAll };
});

describe('redis fan-out', () => {
  let fanout: Fanout;
  let states: FanoutState['kind'][];
  beforeEach(async () => {
    await server.start();
    fanout = newFanout();
    states = [];
    fanout.onState(({ kind }) => states.push(kind));
    await until(() => fanout.connected);
  });
  afterEach(closeAll);

  it('[RDS1] puts the prefix before channels and streams, and caps a stream', async () => {
    const { listener, texts } = recorder();
    await fanout.subscribe('chat:1', listener);
    expect(await command('PUBLISH', `${PREFIX}chat:1`, 'x')).toBe(1);
    await until(() => texts.length === 1);
    await fanout.execute(
      Array.from({ length: 1_000 }, (_, index) => ({
        kind: 'append' as const,
        stream: 'chat:staff:stream',
        field: 'frame',
        payload: String(index),
        maxLength: 100,
      })),
    );
    expect(Number(await command('XLEN', `${PREFIX}chat:staff:stream`))).toBeLessThan(300);
    const newest = await command('XREVRANGE', `${PREFIX}chat:staff:stream`, '+', '-', 'COUNT', '1');
    expect(newest).toMatchObject([[expect.any(String), ['frame', '999']]]);
  });

  it('[ERA5] removes the frames of one session from a stream, up to a seq, and leaves the others', async () => {
    const stream = 'chat:staff:scrubbed';
    const frames = [
      { type: 'chat.message', session_id: 7, seq: 2, data: { body: '"session_id":8,' } },
      { type: 'chat.message', session_id: 8, seq: 2, data: { body: 'erased' } },
      { type: 'chat.note', session_id: 8, seq: null, data: { body: 'erased' } },
      { type: 'chat.message', session_id: 8, seq: 9, data: { body: 'later' } },
      { type: 'chat.message', session_id: 88, seq: 2, data: { body: 'another' } },
      { type: 'chat.erased', session_id: 8, seq: 3, data: {} },
    ].map((frame) => JSON.stringify(frame));
    await fanout.execute([
      ...frames.map((payload) => ({ kind: 'append' as const, stream, field: 'frame', payload, maxLength: 100 })),
      { kind: 'append', stream, field: 'frame', payload: 'no JSON "session_id":8,', maxLength: 100 },
      { kind: 'scrub', stream, field: 'frame', sessionId: 8, throughSeq: 3 },
    ]);
    const left = JSON.stringify(await command('XRANGE', `${PREFIX}${stream}`, '-', '+'));
    expect(left).not.toContain('erased\\"}}');
    for (const word of ['later', 'another', 'chat.erased', 'no JSON']) expect(left).toContain(word);
    expect(Number(await command('XLEN', `${PREFIX}${stream}`))).toBe(5);
  });

  it('[RDS] reports refused commands and executes the others', async () => {
    const { listener, texts } = recorder();
    await fanout.subscribe('chat:1', listener);
    await command('SET', `${PREFIX}not-a-stream`, 'x');
    const batch = fanout.execute([
      { kind: 'publish', channel: 'chat:1', payload: 'a' },
      { kind: 'append', stream: 'not-a-stream', field: 'frame', payload: 'x', maxLength: 10 },
      { kind: 'publish', channel: 'chat:1', payload: 'b' },
    ]);
    await expect(batch).rejects.toMatchObject({ code: 'refused', refused: [1] });
    await until(() => texts.length === 2);
  });

  it('[RDS] reports resubscribed only when all subscriptions are back after kill -9', async () => {
    const recorders = Array.from({ length: 50 }, () => recorder());
    await Promise.all(recorders.map(({ listener }, index) => fanout.subscribe(`chat:${index}`, listener)));
    await fanout.unsubscribe('chat:49', recorders[49]?.listener ?? (() => undefined));
    await server.kill();
    await until(() => !fanout.connected);
    await expect(publishTo(fanout, 'chat:0', 'x')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(fanout.subscribe('chat:99', () => undefined)).rejects.toMatchObject({ code: 'unavailable' });
    await fanout.unsubscribe('chat:48', recorders[48]?.listener ?? (() => undefined));
    let standing = -1;
    fanout.onState(({ kind }) => {
      if (kind === 'resubscribed') standing = 0;
    });
    await server.start();
    await until(() => standing === 0, DETECTION);
    expect(
      await command('PUBSUB', 'NUMSUB', `${PREFIX}chat:0`, `${PREFIX}chat:47`, `${PREFIX}chat:48`, `${PREFIX}chat:49`),
    ).toEqual([`${PREFIX}chat:0`, 1, `${PREFIX}chat:47`, 1, `${PREFIX}chat:48`, 0, `${PREFIX}chat:49`, 0]);
    expect(states).toEqual(['connected', 'disconnected', 'resubscribed']);
    await publishTo(fanout, 'chat:47', 'again');
    await until(() => recorders[47]?.texts.length === 1);
  });

  it('[RDS] notices a paused Redis within seconds and fails what waits', async () => {
    server.pause();
    try {
      const started = performance.now();
      await expect(publishTo(fanout, 'chat:1', 'x')).rejects.toMatchObject({ code: 'unavailable' });
      expect(performance.now() - started).toBeLessThan(10_000);
      expect(fanout.connected).toBe(false);
    } finally {
      server.resume();
    }
    await until(() => fanout.connected, DETECTION);
    expect(states).toEqual(['connected', 'disconnected', 'resubscribed']);
    await publishTo(fanout, 'chat:1', 'x');
  });

  it('[RDS] resubscribes after only its connections were cut', async () => {
    const { listener, texts } = recorder();
    await fanout.subscribe('chat:1', listener);
    await command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => states.includes('resubscribed'), DETECTION);
    await publishTo(fanout, 'chat:1', 'x');
    await until(() => texts.length === 1);
  });

  it('[RDS] starts before Redis exists', async () => {
    await server.stop();
    const early = newFanout();
    await sleep(300);
    expect(early.connected).toBe(false);
    await server.start();
    await until(() => early.connected, DETECTION);
    await publishTo(early, 'chat:1', 'x');
  });
});

describe('redis leases', () => {
  beforeEach(async () => {
    await server.start();
    await command('FLUSHALL');
  });
  afterEach(closeAll);
  const tab = (holder: string, limit = 2) => ({ key: 'session:1', limit, holder });

  it('[LIM] holds a limit over two gateways, and displaces the other one’s stale holder', async () => {
    const [one, two] = [await clusterLeases(), await clusterLeases()];
    await one.acquire(tab('a'));
    await one.acquire(tab('b'));
    expect(await two.acquire(tab('c'))).toEqual({ kind: 'refused', limit: 'key' });
    expect(await two.acquire({ ...tab('c'), replaces: 'a' })).toEqual({ kind: 'granted', displaced: ['a'] });
    await one.setStale('session:1', 'b', true);
    expect(await two.acquire(tab('d'))).toEqual({ kind: 'granted', displaced: ['b'] });
  });

  it('[LIM] frees the slots of a lost gateway: at once if it closes, by its heartbeat if it crashed', async () => {
    const [one, two] = [await clusterLeases(), await clusterLeases()];
    await one.acquire(tab('a', 1));
    await one.close();
    expect(await two.acquire(tab('b', 1))).toMatchObject({ kind: 'granted' });
    await two.release('session:1', 'b');
    // A crashed gateway leaves its lease and a heartbeat that nobody refreshes.
    const lease = JSON.stringify({ owner: 'crashed', key: 'session:1', group: '', member: '', stale: false });
    await command('HSET', `${PREFIX}chat:lease:key:session:1`, 'x', lease);
    await command('SET', `${PREFIX}chat:lease:gateway:crashed`, '1', 'PX', '800');
    expect(await two.acquire(tab('b', 1))).toEqual({ kind: 'refused', limit: 'key' });
    await until(async () => (await two.acquire(tab('b', 1))).kind === 'granted');
  });

  it('[LIM6] counts locally while Redis is unavailable and registers again when it is back', async () => {
    const one = await clusterLeases();
    await one.acquire(tab('a'));
    await server.kill();
    await until(() => one.mode === 'local', DETECTION);
    expect(await one.acquire(tab('b'))).toMatchObject({ kind: 'granted' });
    expect(await one.acquire(tab('c'))).toEqual({ kind: 'refused', limit: 'key' });
    await one.release('session:1', 'a');
    expect(await one.acquire(tab('c'))).toMatchObject({ kind: 'granted' });
    await server.start();
    await until(() => one.mode === 'cluster', DETECTION);
    const two = await clusterLeases();
    expect(await two.acquire(tab('d'))).toEqual({ kind: 'refused', limit: 'key' });
    await one.release('session:1', 'b');
    expect(await two.acquire(tab('d'))).toMatchObject({ kind: 'granted' });
  });

  it('[LIM] registers again after FLUSHALL, with its groups', async () => {
    const [one, two] = [await clusterLeases(), await clusterLeases()];
    const group = { key: 'operators', member: '7', limit: 1 };
    await one.acquire({ key: 'staff:7', limit: 1, holder: 'a', group });
    await command('FLUSHALL');
    const newcomer = { key: 'staff:8', limit: 1, holder: 'b', group: { ...group, member: '8' } };
    await until(async () => (await command('HLEN', `${PREFIX}chat:lease:group:operators`)) === 1);
    expect(await two.acquire(newcomer)).toEqual({ kind: 'refused', limit: 'group' });
  });

  it('[LIM] falls back to local limits within about a second when Redis is paused', async () => {
    const one = await clusterLeases();
    server.pause();
    try {
      const started = performance.now();
      expect(await one.acquire(tab('a'))).toMatchObject({ kind: 'granted' });
      expect(performance.now() - started).toBeLessThan(3_000);
    } finally {
      server.resume();
    }
  });
});

describe('redis last_seen', () => {
  beforeEach(async () => {
    await server.start();
    await command('FLUSHALL');
  });
  afterEach(closeAll);

  it('[RDS] writes the hash of the contract and refreshes its TTL', async () => {
    const lastSeen = newLastSeen(100);
    await until(() => lastSeen.read(1).then(() => true));
    await lastSeen.record([{ sessionId: 5, participant: 'staff:7', lastId: 456, at: 1_700_000_000_000 }]);
    const key = `${PREFIX}chat:last_seen:5`;
    expect(await command('HGETALL', key)).toEqual({ 'staff:7': '456', 'staff:7:at': '1700000000000' });
    await command('EXPIRE', key, '10');
    await lastSeen.record([{ sessionId: 5, participant: 'staff:7', lastId: 1, at: 1 }]);
    expect(Number(await command('TTL', key))).toBeGreaterThan(90);
  });

  it('[RDS5] sets the TTL of keys without one, and of no others', async () => {
    const lastSeen = newLastSeen(100);
    await until(() => lastSeen.read(1).then(() => true));
    for (let session = 1; session <= 3; session += 1)
      await command('HSET', `${PREFIX}chat:last_seen:${session}`, 'client', '1');
    await command('EXPIRE', `${PREFIX}chat:last_seen:3`, '10');
    await command('HSET', 'chat:last_seen:4', 'client', '1');
    expect(await lastSeen.sweep()).toBe(2);
    expect(await lastSeen.sweep()).toBe(0);
    expect(Number(await command('TTL', `${PREFIX}chat:last_seen:1`))).toBeGreaterThan(90);
    expect(Number(await command('TTL', `${PREFIX}chat:last_seen:3`))).toBeLessThan(11);
    expect(await command('TTL', 'chat:last_seen:4')).toBe(-1);
  });

  it('[RDS] rejects while Redis is unavailable and works again afterwards', async () => {
    const lastSeen = newLastSeen();
    await until(() => lastSeen.read(1).then(() => true));
    await server.kill();
    const mark = { sessionId: 1, participant: 'client', lastId: 1, at: 1 };
    await expect(lastSeen.record([mark])).rejects.toMatchObject({ code: 'unavailable' });
    await server.start();
    await until(() => lastSeen.record([mark]).then(() => true), DETECTION);
    expect(await lastSeen.read(1)).toEqual([mark]);
  });
});

it('[RDS11] leaves a server that has become a replica, and returns when the address leads to one that accepts writes', async () => {
  const moving = await startRedis();
  const fanout = keep(connectRedisFanout({ url: moving.url, logger: testLogger }));
  const on = async (...args: string[]): Promise<unknown> => {
    const client = createClient({ url: moving.url, socket: { reconnectStrategy: false } });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.sendCommand(args);
    } finally {
      client.destroy();
    }
  };
  try {
    await until(() => fanout.connected, DETECTION);
    const states: string[] = [];
    fanout.onState(({ kind }) => states.push(kind));
    await on('REPLICAOF', '127.0.0.1', '1');
    // Its connections stay open, and PUBLISH would still succeed but reach nobody.
    await until(() => !fanout.connected, { timeoutMs: 5_000, what: 'the fan-out to leave the replica' });
    await on('REPLICAOF', 'NO', 'ONE');
    await until(() => fanout.connected, { ...DETECTION, what: 'the fan-out to be back' });
    expect(states.at(-1)).toBe('resubscribed');
  } finally {
    await moving.stop();
  }
});
