import { redisCommand, until } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fanout, FanoutState } from '../ports/fanout.ts';
import { ClusterUnderTest, DETECTION, PREFIX } from '../testing/cluster-under-test.ts';
import { fanoutSuite, publishTo, recorder } from '../testing/fanout-suite.ts';
import { lastSeenSuite } from '../testing/last-seen-suite.ts';
import { leasesSuite } from '../testing/leases-suite.ts';
import { slotOf } from './slots.ts';

/** A hundred channels are spread over all three masters. */
const CHANNELS = Array.from({ length: 100 }, (_, index) => `chat:${index + 1}`);

let under: ClusterUnderTest;
beforeAll(async () => {
  under = await ClusterUnderTest.start();
}, 60_000);
afterAll(() => under.cluster.stop());

fanoutSuite('redis cluster', async () => ({ fanout: under.fanout(), cleanUp: () => under.closeAll() }));
leasesSuite('redis cluster, as the gateway', async () => {
  await under.cluster.onEach('FLUSHALL');
  return { leases: await under.leases('gateway'), cleanUp: () => under.closeAll() };
});
lastSeenSuite('redis cluster', async () => {
  await under.cluster.onEach('FLUSHALL');
  const lastSeen = under.lastSeen();
  await until(() => lastSeen.read(1).then(() => true));
  return { lastSeen, cleanUp: () => under.closeAll() };
});

it('[RDS12] finds the slot of a name as Redis does', async () => {
  const names = [
    '',
    'a',
    'chat:42',
    `${PREFIX}chat:staff:stream`,
    'a{b}c',
    'a{}c',
    '{}{b}',
    '{b',
    'a}b{c}',
    'чат:{ключ}',
  ];
  const slots = await Promise.all(names.map((name) => redisCommand(under.cluster.url, 'CLUSTER', 'KEYSLOT', name)));
  expect(names.map(slotOf)).toEqual(slots);
});

describe('redis cluster', () => {
  let fanout: Fanout;
  let states: FanoutState['kind'][];
  beforeEach(async () => {
    await under.cluster.onEach('FLUSHALL');
    fanout = under.fanout();
    states = [];
    fanout.onState(({ kind }) => states.push(kind));
    await until(() => fanout.connected, DETECTION);
  });
  afterEach(() => under.closeAll());

  async function subscribeAll(): Promise<ReturnType<typeof recorder>> {
    const heard = recorder();
    await Promise.all(CHANNELS.map((channel) => fanout.subscribe(channel, heard.listener)));
    return heard;
  }
  async function hearAll({ texts }: ReturnType<typeof recorder>, word: string): Promise<void> {
    texts.length = 0;
    await fanout.execute(CHANNELS.map((channel) => ({ kind: 'publish' as const, channel, payload: word })));
    await until(() => texts.length >= CHANNELS.length, { what: `all channels to be heard, after ${word}` });
    expect([...texts].sort()).toEqual(CHANNELS.map((channel) => `${channel} ${word}`).sort());
  }
  async function shardChannels(): Promise<number[]> {
    const answers = await under.cluster.onEach('PUBSUB', 'SHARDCHANNELS', '*');
    return answers.map((channels) => (Array.isArray(channels) ? channels.length : -1));
  }

  it('[RDS12] subscribes each channel only on the master of its slot', async () => {
    const heard = await subscribeAll();
    await hearAll(heard, 'hello');
    const perMaster = await shardChannels();
    expect(perMaster.reduce((sum, count) => sum + count, 0)).toBe(CHANNELS.length);
    expect(Math.min(...perMaster)).toBeGreaterThan(10);
    const plain = await under.cluster.onEach('PUBSUB', 'CHANNELS', '*');
    expect(plain).toEqual([[], [], []]);
  });

  it('[RDS12] resubscribes where a slot has moved to, and says so', async () => {
    const heard = await subscribeAll();
    const slot = slotOf(`${PREFIX}chat:42`);
    const from = under.cluster.masterOf(slot);
    const to = under.cluster.masters.find((master) => master !== from) ?? from;
    await under.cluster.moveSlot(slot, from, to);
    try {
      await until(() => states.at(-1) === 'resubscribed', { ...DETECTION, what: 'the fan-out to have followed' });
      expect(await redisCommand(to.url, 'PUBSUB', 'SHARDNUMSUB', `${PREFIX}chat:42`)).toEqual([`${PREFIX}chat:42`, 1]);
      await hearAll(heard, 'moved');
    } finally {
      await under.cluster.moveSlot(slot, to, from);
    }
    await until(() => states.filter((state) => state === 'resubscribed').length >= 2, {
      ...DETECTION,
      what: 'the fan-out to have followed back',
    });
    await hearAll(heard, 'moved back');
    await fanout.unsubscribe('chat:42', heard.listener);
    expect(await redisCommand(from.url, 'PUBSUB', 'SHARDNUMSUB', `${PREFIX}chat:42`)).toEqual([`${PREFIX}chat:42`, 0]);
  });

  it('[RDS12] recovers after a master was killed, and refuses calls for its slots meanwhile', async () => {
    const heard = await subscribeAll();
    const slot = slotOf(`${PREFIX}chat:42`);
    const master = under.cluster.masterOf(slot);
    await master.kill();
    await until(() => states.at(-1) === 'disconnected', { ...DETECTION, what: 'the loss to be noticed' });
    await expect(publishTo(fanout, 'chat:42', 'x')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(fanout.subscribe('chat:42', () => undefined)).rejects.toMatchObject({ code: 'unavailable' });
    await master.start();
    await under.cluster.whole();
    await until(() => states.at(-1) === 'resubscribed', { ...DETECTION, what: 'all subscriptions to stand again' });
    await hearAll(heard, 'again');
  });

  it('[RDS12] writes the hash of the contract where its key belongs, and sets missing TTLs on every master', async () => {
    const lastSeen = under.lastSeen();
    await until(() => lastSeen.read(1).then(() => true), DETECTION);
    const sessions = Array.from({ length: 8 }, (_, index) => index + 1);
    await lastSeen.record(sessions.map((sessionId) => ({ sessionId, participant: 'client', lastId: 456, at: 7 })));
    for (const session of sessions) {
      const key = `chat:last_seen:${session}`;
      expect(await under.command(key, 'HGETALL', PREFIX + key)).toMatchObject({ client: '456', 'client:at': '7' });
      await under.command(key, 'PERSIST', PREFIX + key);
    }
    expect(await lastSeen.sweep()).toBe(sessions.length);
    expect(await lastSeen.sweep()).toBe(0);
  });

  it('[RDS9] lets each service do its work on a cluster, with its own user', async () => {
    await under.cluster.onEach('ACL', 'LOG', 'RESET');
    const [gateway, dispatcher, telegram] = [
      under.fanout('gateway'),
      under.fanout('dispatcher'),
      under.fanout('telegram'),
    ];
    const [marks, lastSeen] = [under.lastSeen('gateway'), under.lastSeen('dispatcher')];
    await until(() => gateway.connected && dispatcher.connected && telegram.connected, DETECTION);
    const heard = recorder();
    const channels = ['chat:1', 'chat:2', 'chat:9007199254740991', 'chat:staff', 'chat:control'];
    for (const channel of channels) await gateway.subscribe(channel, heard.listener);
    for (const channel of channels) {
      await publishTo(gateway, channel, 'from the gateway');
      await publishTo(dispatcher, channel, 'from the dispatcher');
    }
    await publishTo(telegram, 'chat:control', '{}');
    await dispatcher.execute([
      { kind: 'append', stream: 'chat:staff:stream', field: 'frame', payload: '{}', maxLength: 10 },
      { kind: 'scrub', stream: 'chat:staff:stream', field: 'frame', sessionId: 1, throughSeq: 5 },
    ]);
    await until(() => heard.texts.length === 2 * channels.length + 1);
    for (const channel of channels) await gateway.unsubscribe(channel, heard.listener);
    await until(() => marks.begin('one', false).then(() => true), DETECTION);
    await marks.record([{ sessionId: 1, participant: 'client', lastId: 5, at: Date.now() }]);
    expect(await until(() => lastSeen.sweep().then((count) => [count]), DETECTION)).toEqual([0]);
    const refused = (await under.cluster.onEach('ACL', 'LOG')).flat().map((entry) => JSON.stringify(entry));
    expect(refused).toEqual([]);
  });
});

it('[RDS9] refuses on a cluster what a service does not need', async () => {
  const forbidden = [
    ['gateway', 'SSUBSCRIBE', `${PREFIX}other`],
    ['gateway', 'SPUBLISH', `${PREFIX}chat:other`, '{}'],
    ['gateway', 'CLUSTER', 'FAILOVER'],
    ['gateway', 'CLUSTER', 'NODES'],
    ['dispatcher', 'SSUBSCRIBE', `${PREFIX}chat:1`],
    ['dispatcher', 'CLUSTER', 'FORGET', 'x'],
    ['telegram', 'SPUBLISH', `${PREFIX}chat:staff`, '{}'],
    ['telegram', 'SSUBSCRIBE', `${PREFIX}chat:staff`],
  ] as const;
  for (const [user, ...args] of forbidden)
    await expect(redisCommand(under.urlAs(user), ...args), args.join(' ')).rejects.toThrow(/^NOPERM/);
});
