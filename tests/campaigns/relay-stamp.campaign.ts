// The relay leader ends before, inside and after each step of its work, under traffic. About two minutes.
import { type Stack, startStack } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { leaderEndsBetweenSteps, leaderEndsInsideStamp, type RelayStep } from '../faults/cases/relay-leader.ts';
import type { Bounds } from '../faults/checker/history.ts';
import { runCase } from '../faults/recorder/fault-case.ts';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';

const BOUNDS: Bounds = { shownWithinMs: 15_000, outboxWithinMs: 10_000 };
const STEPS: readonly RelayStep[] = ['relay.beforeStamp', 'relay.afterStamp', 'relay.afterConfirm'];
const seed = runSeed('FAULTS_SEED');
const random = new SeededRandom(seed);

describe(`the relay leader is stopped during its work (FAULTS_SEED=${seed})`, () => {
  let stack: Stack;
  beforeAll(async () => {
    const off = { RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' };
    stack = await startStack({ proxies: true, standby: true, env: { ...off, LOG_LEVEL: 'warn' } });
  });
  afterAll(() => stack.stop());

  const check = async (name: string, fault: (of: Stack) => Promise<void>): Promise<void> => {
    const { violations, outages, warnings } = await runCase(stack, random.fork(), { name, bounds: BOUNDS, fault });
    expect(violations, [...outages, ...warnings].join('\n')).toEqual([]);
  };

  for (const end of ['panic', 'stop'] as const) {
    for (const step of STEPS) {
      test(`[AMQP9] [FEED4] ${end} at ${step}: nothing is lost, repeated or reordered`, () =>
        check(`${end} at ${step}`, (of) => leaderEndsBetweenSteps(of, end, step)));
    }
    test(`[AMQP9] [FEED4] ${end} inside the stamp: nothing is lost, repeated or reordered`, () =>
      check(`${end} inside the stamp`, (of) => leaderEndsInsideStamp(of, end)));
  }
});
