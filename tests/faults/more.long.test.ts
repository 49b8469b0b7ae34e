import type { Stack } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';
import { eventSourceThroughKill } from './cases/event-source.ts';
import { requestsOfIdleClients } from './cases/idle-clients.ts';
import { expectNothingLost, flushRedis, LIVE_PATH, type RuledCase, startFaultStack } from './cases/killed-parts.ts';
import { leaderEndsBetweenSteps } from './cases/relay-leader.ts';
import {
  fillDiskOfRedis,
  fillMemoryOfRedis,
  flapRedis,
  forbidPublishing,
  hangRabbit,
} from './cases/refusing-servers.ts';

let stack: Stack;
const seed = runSeed('FAULTS_SEED');
const random = new SeededRandom(seed);

const CASES: readonly RuledCase[] = [
  // The other steps, killed and stopped: `npm run campaign -- relay-stamp`.
  {
    name: 'relay leader stopped between publish and mark',
    rules: '[AMQP9] [FEED4] [STF3]',
    bounds: LIVE_PATH,
    fault: (of) => leaderEndsBetweenSteps(of, 'stop', 'relay.afterConfirm'),
  },
  { name: 'Redis emptied by FLUSHALL', rules: '[RDS7]', bounds: LIVE_PATH, fault: flushRedis },
  { name: 'Redis with a full disk', rules: '[RDS7] [DEG4]', bounds: LIVE_PATH, fault: fillDiskOfRedis },
  { name: 'Redis without memory', rules: '[RDS7] [DEG4]', bounds: LIVE_PATH, fault: fillMemoryOfRedis },
  { name: 'Redis refuses every publish', rules: '[RDS8] [OPS2] [DEG4]', bounds: LIVE_PATH, fault: forbidPublishing },
  { name: 'Redis away twice, two dispatchers', rules: '[RDS8] [DEG4]', bounds: LIVE_PATH, fault: flapRedis },
  { name: 'RabbitMQ hangs for 20 s', rules: '[AMQP6] [DEG4]', bounds: LIVE_PATH, fault: hangRabbit },
  { name: 'RabbitMQ wiped', rules: '[AMQP5] [AMQP6]', bounds: LIVE_PATH, fault: (of) => of.rabbit.wipe() },
];

describe(`faults beyond the quick set (FAULTS_SEED=${seed})`, () => {
  beforeAll(async () => {
    console.log(`FAULTS_SEED=${seed}`);
    stack = await startFaultStack({ secondDispatcher: true });
  }, 120_000);
  afterAll(() => stack.stop());

  test.each(CASES)('$rules $name: nothing is lost, repeated or reordered', { timeout: 120_000 }, (one) =>
    expectNothingLost(stack, random.fork(), one),
  );

  test('[SSE9] [RES2] a browser’s own EventSource resumes through the kill of its gateway', {
    timeout: 90_000,
  }, async () => {
    const { seqs, head, connections, backAfterMs } = await eventSourceThroughKill(stack);
    console.log(`EventSource in Chromium: back after ${backAfterMs} ms, ${head} events, ${connections} connections`);
    expect(connections).toBeGreaterThan(1);
    expect(seqs).toEqual(Array.from({ length: head }, (_, index) => index + 1));
  });

  test('[DEG6] idle clients cause no requests to chat-service but head checks', { timeout: 60_000 }, async () => {
    const { clients, seconds, gateways, byRoute } = await requestsOfIdleClients(stack);
    const all = [...byRoute.values()].reduce((sum, count) => sum + count, 0);
    const list = [...byRoute].map(([labels, count]) => `${count} × ${labels}`).join(', ');
    console.log(`${clients} idle clients on ${gateways} gateways, ${seconds.toFixed(1)} s: ${all} requests (${list})`);
    expect(clients).toBe(200);
    expect([...byRoute.keys()].filter((labels) => !labels.includes('/internal/catchup'))).toEqual([]);
    // Seven a minute and gateway; the check's interval is jittered, so one more may fall into a short time.
    expect(all).toBeLessThanOrEqual(gateways * (Math.ceil((7 * seconds) / 60) + 1));
  });
});
