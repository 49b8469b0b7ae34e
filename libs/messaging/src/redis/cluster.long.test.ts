import { redisCommand, until } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fanout, FanoutState } from '../ports/fanout.ts';
import { ClusterUnderTest, DETECTION, PREFIX } from '../testing/cluster-under-test.ts';
import { recorder } from '../testing/fanout-suite.ts';
import { connectRedisFanout } from './fanout.ts';
import { slotOf } from './slots.ts';
import { connectRedisStream } from './stream.ts';

/** A hundred channels are spread over all three masters. */
const CHANNELS = Array.from({ length: 100 }, (_, index) => `chat:${index + 1}`);

let under: ClusterUnderTest;
beforeAll(async () => {
  under = await ClusterUnderTest.start(1);
}, 60_000);
afterAll(() => under.cluster.stop());

describe('redis cluster through moves and losses', () => {
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

  it('[RDS12] starts with whichever server answers', async () => {
    const [first, ...others] = under.cluster.nodes;
    const dead = under.keep(
      connectRedisFanout({ ...under.options(), url: under.options().url.replace(`${first}`, '127.0.0.1:1') }),
    );
    const alone = under.keep(connectRedisFanout({ ...under.options(), clusterNodes: others.slice(0, 1) }));
    await until(() => dead.connected && alone.connected, DETECTION);
  });

  it('[RDS12] holds limits over two gateways, even while the slot of the leases moves', async () => {
    const [one, two] = [await under.leases('gateway'), await under.leases('gateway')];
    await one.acquire({ key: 'session:1', limit: 1, holder: 'a' });
    expect(await two.acquire({ key: 'session:1', limit: 1, holder: 'b' })).toEqual({ kind: 'refused', limit: 'key' });
    const slot = slotOf('{leases}');
    const from = under.cluster.masterOf(slot);
    const to = under.cluster.masters.find((master) => master !== from) ?? from;
    await under.cluster.moveSlot(slot, from, to);
    try {
      await until(async () => {
        const clients = String(await redisCommand(to.url, 'CLIENT', 'LIST'));
        const followed = clients.split('name=chat-leases ').length - 1;
        return followed === 2 && one.mode === 'cluster' && two.mode === 'cluster';
      }, DETECTION);
      expect(await two.acquire({ key: 'session:1', limit: 1, holder: 'c' })).toEqual({ kind: 'refused', limit: 'key' });
    } finally {
      await under.cluster.moveSlot(slot, to, from);
    }
  });

  it('[RDS12] reads the staff stream as a group, during a move of its slot', async () => {
    const reader = under.keep(
      connectRedisStream({ ...under.options('telegram'), group: 'telegram-bot', consumer: 'one' }),
    );
    const read: string[] = [];
    let ends = false;
    const reading = (async () => {
      while (!ends) {
        const { entries } = await reader.read().catch(() => ({ entries: [] }));
        read.push(...entries.map(({ frame }) => frame));
        await reader.ack(entries.map(({ id }) => id)).catch(() => undefined);
        if (entries.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const append = (payload: string) =>
      fanout.execute([{ kind: 'append', stream: 'chat:staff:stream', field: 'frame', payload, maxLength: 100 }]);
    const hasGroup = async (): Promise<boolean> => {
      const key = 'chat:staff:stream';
      const groups = await under.command(key, 'XINFO', 'GROUPS', PREFIX + key).catch(() => []);
      return Array.isArray(groups) && groups.length === 1;
    };
    await until(hasGroup, DETECTION);
    await append('before');
    await until(() => read.includes('before'), DETECTION);
    const slot = slotOf(`${PREFIX}chat:staff:stream`);
    const from = under.cluster.masterOf(slot);
    const to = under.cluster.masters.find((master) => master !== from) ?? from;
    await under.cluster.moveSlot(slot, from, to);
    try {
      await until(() => append('after').then(() => true), DETECTION);
      await until(() => read.includes('after'), DETECTION);
    } finally {
      ends = true;
      await under.cluster.moveSlot(slot, to, from);
    }
    await reading;
    expect(new Set(read)).toEqual(new Set(['before', 'after']));
  });

  // The last test: a replica is a master afterwards.
  it('[RDS12] switches to the replica that replaces a killed master', async () => {
    const heard = await subscribeAll();
    const master = under.cluster.masterOf(slotOf(`${PREFIX}chat:42`));
    await master.kill();
    await until(() => states.at(-1) === 'disconnected', { ...DETECTION, what: 'the loss to be noticed' });
    await until(() => states.at(-1) === 'resubscribed', { ...DETECTION, what: 'all subscriptions to stand again' });
    await hearAll(heard, 'by the replica');
    await master.start();
    await until(async () => String(await redisCommand(master.url, 'ROLE')).startsWith('slave'), {
      ...DETECTION,
      what: 'the old master to follow',
    });
    await hearAll(heard, 'and still');
  }, 240_000);
});
