// A Redis Cluster of three masters, four queues and two dispatchers under traffic: slots move, a master and a dispatcher are killed, the number of queues is changed. About three minutes.
import { redisCommand, type Stack, startStack, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bounds } from '../faults/checker/history.ts';
import { type FaultCase, runCase } from '../faults/recorder/fault-case.ts';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';

const BOUNDS: Bounds = { shownWithinMs: 15_000, outboxWithinMs: 10_000 };
const seed = runSeed('FAULTS_SEED');
let stack: Stack;
beforeAll(async () => {
  const off = { RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' };
  const env = { ...off, LOG_LEVEL: 'info', RABBITMQ_QUEUES: '4' };
  stack = await startStack({ redisMasters: 3, secondDispatcher: true, env });
}, 240_000);
afterAll(() => stack.stop());

function clusterOf({ redis }: Stack): NonNullable<Stack['redis']['cluster']> {
  if (redis.cluster === null) throw new Error('the stack has no cluster');
  return redis.cluster;
}

async function slotOf(of: Stack, name: string): Promise<number> {
  return Number(await redisCommand(of.redis.url, 'CLUSTER', 'KEYSLOT', name));
}

async function metric(address: string, name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', address))).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

async function healthy(of: Stack): Promise<void> {
  await until(
    async () => {
      const impaired = await Promise.all(of.addresses.gateways.map((one) => metric(one, 'chat_live_path_impaired')));
      return impaired.every((value) => value === 0);
    },
    { timeoutMs: 60_000, everyMs: 100, what: 'the live path to be back' },
  );
}

/** What staff channels cost when numbers of the feed come by four ways. */
async function quiet(of: Stack): Promise<void> {
  const sum = async (name: string): Promise<number> => {
    const values = await Promise.all(of.addresses.gateways.map((one) => metric(one, name)));
    return values.reduce((total, value) => total + value, 0);
  };
  const names = ['chat_gaps_detected_total', 'chat_catchup_requests_total', 'chat_delivery_latency_seconds_count'];
  const before = await Promise.all(names.map(sum));
  const seconds = 15;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const after = await Promise.all(names.map(sum));
  const [gaps, calls, delivered] = after.map((value, index) => value - (before[index] ?? 0));
  console.log(`${seconds} s without a fault, both gateways: ${gaps} holes, ${calls} calls, ${delivered} deliveries`);
}

/** The staff channel and those of some sessions go to another master and back. */
async function moveSlots(of: Stack): Promise<void> {
  const cluster = clusterOf(of);
  const names = ['chat:staff', 'chat:control', 'chat:staff:stream', 'chat:1', 'chat:2', 'chat:3'];
  for (const name of names) {
    const slot = await slotOf(of, name);
    const from = cluster.masterOf(slot);
    const to = cluster.masters.find((master) => master !== from) ?? from;
    await cluster.moveSlot(slot, from, to);
    await cluster.moveSlot(slot, to, from);
  }
  await healthy(of);
}

async function killMaster(of: Stack): Promise<void> {
  const cluster = clusterOf(of);
  const master = cluster.masterOf(await slotOf(of, 'chat:staff'));
  await master.kill();
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await master.start();
  await cluster.whole();
  await healthy(of);
}

async function killDispatcher(of: Stack): Promise<void> {
  await of.dispatcher.kill();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await of.dispatcher.restart();
  await healthy(of);
}

const CASES: readonly FaultCase[] = [
  { name: 'no fault', bounds: BOUNDS, fault: quiet },
  { name: 'slots move', bounds: BOUNDS, fault: moveSlots },
  { name: 'a master is killed', bounds: BOUNDS, fault: killMaster },
  { name: 'a dispatcher is killed', bounds: BOUNDS, fault: killDispatcher },
];

test.each(CASES)(
  '[RDS12] [AMQP10] $name: nothing is lost, doubled or out of order',
  { timeout: 240_000 },
  async (one) => {
    console.log(`FAULTS_SEED=${seed}`);
    const { violations, outages, warnings } = await runCase(stack, new SeededRandom(seed), one);
    expect(violations, [...outages, ...warnings].join('\n')).toEqual([]);
  },
);
