// Services whose drivers lie to them on purpose: the fault campaign finds each such bug. About a minute.
import { fileURLToPath } from 'node:url';
import { type AppProcess, type Stack, sleep, startStack } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';
import type { Bounds } from '../faults/checker/history.ts';
import { type FaultCase, runCase } from '../faults/recorder/fault-case.ts';

const SEEDED = fileURLToPath(new URL('seeded/seeded-bug.ts', import.meta.url));
/**
 * Shows that the campaign can fail: services are started with a driver that lies to them (seeded/seeded-bug.ts), and
 * recorder and checker must find it. Gateways repair a broken live path within seconds, as they should, so the bound is that of a
 * run without faults, and head checks are as good as off.
 */
const BOUNDS: Bounds = { shownWithinMs: 2_000, outboxWithinMs: 10_000 };
const seed = runSeed('FAULTS_SEED');
const random = new SeededRandom(seed);

const BUGS: readonly { bug: string; what: string; in: (of: Stack) => AppProcess; found: RegExp }[] = [
  {
    bug: 'confirms-unsent',
    what: 'the relay marks what no broker has confirmed',
    in: (of) => of.chat,
    found: /^I8 complete/m,
  },
  {
    bug: 'acks-unread',
    what: 'the dispatcher acks what it has not published',
    in: (of) => of.dispatcher,
    found: /^I8 complete/m,
  },
  {
    bug: 'forgets-retries',
    what: 'chat-service stores a retry as a new message',
    in: (of) => of.chat,
    found: /^I1 no-lost-ack/m,
  },
];

describe(`seeded bugs (FAULTS_SEED=${seed})`, () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      env: {
        NODE_ENV: 'test',
        LOG_LEVEL: 'warn',
        ...{ RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' },
      },
      serviceEnv: { 'channel-gateway': { HEAD_CHECK_SECONDS: '600' } },
    });
  }, 120_000);
  afterAll(() => stack.stop());

  const campaign = (name: string) => {
    const one: FaultCase = { name, bounds: BOUNDS, aroundMs: 1_500, fault: () => sleep(500) };
    return runCase(stack, random.fork(), one);
  };

  test('without one nothing is found', { timeout: 60_000 }, async () => {
    expect((await campaign('no bug')).violations).toEqual([]);
  });

  test.each(BUGS)('$bug: $what, and is found', { timeout: 90_000 }, async ({ bug, what, found, in: service }) => {
    await service(stack).restart({ NODE_OPTIONS: `--import=${SEEDED}`, SEEDED_BUG: bug });
    const { violations } = await campaign(what);
    await service(stack).restart({ NODE_OPTIONS: '' });
    console.log(`    found: ${violations.length} violations, such as: ${violations[0]}`);
    expect(violations.length).toBeGreaterThan(0);
    expect(violations.join('\n')).toMatch(found);
  });
});
