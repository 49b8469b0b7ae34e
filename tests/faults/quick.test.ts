import type { Stack } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';
import {
  DEAD_MS,
  expectNothingLost,
  firstGateway,
  GATEWAY,
  killed,
  LIVE_PATH,
  type RuledCase,
  startFaultStack,
} from './cases/killed-parts.ts';
import { LOST_PUBLISH_BOUND_MS, lostLastPublish } from './cases/lost-publish.ts';
import { tokenMadeByPhp } from './cases/php-token.ts';
import { killRelayLeader } from './cases/relay-leader.ts';
import { type FaultCase, runCase } from './recorder/fault-case.ts';
import { answeredToShown, percentile, spread } from './recorder/figures.ts';

/** One stack for all cases, which therefore also show that it is whole again after each. */
let stack: Stack;
const seed = runSeed('FAULTS_SEED');
const random = new SeededRandom(seed);

/** Some thirty messages, so that the fault meets traffic, and what follows it is seen. */
const AROUND_MS = 1_000;

/** Each part killed once. What else can happen to them: `npm run campaign -- faults`. */
const CASES: readonly RuledCase[] = [
  { name: 'one gateway killed', rules: '[RES1] [RES2]', bounds: GATEWAY, fault: killed(firstGateway, DEAD_MS) },
  { name: 'dispatcher killed', rules: '[DEG4]', bounds: LIVE_PATH, fault: killed((of) => of.dispatcher, DEAD_MS) },
  { name: 'chat-service killed', rules: '[MSG2] [MSG5] [DEG5]', bounds: LIVE_PATH, fault: killed((of) => of.chat, 0) },
  { name: 'relay leader killed', rules: '[AMQP9]', bounds: LIVE_PATH, fault: killRelayLeader },
  { name: 'Redis killed', rules: '[RDS8] [DEG2]', bounds: LIVE_PATH, fault: killed((of) => of.redis, DEAD_MS) },
  { name: 'RabbitMQ killed', rules: '[AMQP6]', bounds: LIVE_PATH, fault: killed((of) => of.rabbit, 0) },
  { name: 'PostgreSQL killed', rules: '[MSG2] [MSG5]', bounds: LIVE_PATH, fault: killed((of) => of.postgres, 1_000) },
];

describe(`faults, quick set (FAULTS_SEED=${seed})`, () => {
  beforeAll(async () => {
    console.log(`FAULTS_SEED=${seed}`);
    stack = await startFaultStack();
  }, 120_000);
  afterAll(() => stack.stop());

  test('without a fault: shown at once, p99 within a second', { timeout: 60_000 }, async () => {
    const without: FaultCase = { name: 'no fault', bounds: LIVE_PATH, aroundMs: 3_000, fault: () => Promise.resolve() };
    const { history, figures, violations, outages } = await runCase(stack, random.fork(), without);
    const waits = answeredToShown(history);
    console.log(`POST answered → frame at the customer's WebSocket: ${spread(waits)} (${waits.length} messages)`);
    expect(violations).toEqual([]);
    expect(outages).toEqual([]);
    expect(percentile(figures.shownAfterMs, 0.99)).toBeLessThanOrEqual(1_000);
  });

  test.each(CASES)('$rules $name: nothing is lost, repeated or reordered', { timeout: 120_000 }, (one) =>
    expectNothingLost(stack, random.fork(), { ...one, aroundMs: AROUND_MS }),
  );

  test('[DEG1] the last message of a burst whose PUBLISH is lost arrives by the head check', {
    timeout: 60_000,
  }, async () => {
    const { customerMs, staffMs } = await lostLastPublish(stack);
    console.log(
      `last PUBLISH lost: customer after ${customerMs.join(', ')} ms, operator after ${staffMs.join(', ')} ms`,
    );
    expect(Math.max(...customerMs, ...staffMs)).toBeLessThanOrEqual(LOST_PUBLISH_BOUND_MS);
  });

  test('[TOK1] a token made by PHP’s hash_hmac is accepted by REST and WebSocket', { timeout: 30_000 }, () =>
    tokenMadeByPhp(stack),
  );
});
