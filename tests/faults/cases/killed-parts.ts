import { connect } from 'node:net';
import { type Stack, sleep, startStack } from '@chat-realtime/testkit';
import { expect } from 'vitest';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Bounds } from '../checker/history.ts';
import { type FaultCase, runCase } from '../recorder/fault-case.ts';
import { percentile } from '../recorder/figures.ts';

/** G4: while RabbitMQ, Redis, relay or dispatcher is down or has lost its data. */
export const LIVE_PATH: Bounds = { shownWithinMs: 15_000, outboxWithinMs: 10_000 };
/** G4: after a gateway crash. */
export const GATEWAY: Bounds = { shownWithinMs: 30_000, outboxWithinMs: 10_000 };
/** Tabs and operators are back within seconds: of the followers that keep to SPEC.md's back-off. */
const BACK_P95_MS = 5_000;
const BACK_LONGEST_MS = 30_000;

/** How long something stays dead before a supervisor has it up again. */
export const DEAD_MS = 2_000;

/** A fault and the rules of SPEC.md that it puts to the test. */
export type RuledCase = FaultCase & { readonly rules: string };

/** Every part behind a proxy, a second chat-service beside the first, and no rate that the traffic of a case could meet. */
export function startFaultStack(options: { readonly secondDispatcher?: boolean } = {}): Promise<Stack> {
  const off = { RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' };
  return startStack({ ...options, proxies: true, standby: true, env: { ...off, LOG_LEVEL: 'warn' } });
}

export const killed = (part: (of: Stack) => { kill(): Promise<void>; start(): Promise<void> }, deadMs: number) => {
  return async (of: Stack): Promise<void> => {
    await part(of).kill();
    await sleep(deadMs);
    await part(of).start();
  };
};

/** The first gateway is as good as the second: both hold about half of all connections. */
export function firstGateway(of: Stack): Stack['gateways'][number] {
  const [first] = of.gateways;
  if (first === undefined) throw new Error('the stack has no gateway');
  return first;
}

export function flushRedis(of: Stack): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(of.redis.port, of.redis.host, () => socket.write('FLUSHALL\r\n'));
    socket.once('data', () => socket.end());
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
}

/** Nothing is lost, repeated or reordered by the fault, and whoever it cut off is back in time. */
export async function expectNothingLost(stack: Stack, random: SeededRandom, one: FaultCase): Promise<void> {
  const { figures, violations, outages, warnings } = await runCase(stack, random, one);
  expect(violations, [...outages, ...warnings].join('\n')).toEqual([]);
  if (figures.backAfterMs.length > 0) {
    expect(percentile(figures.backAfterMs, 0.95), outages.join('\n')).toBeLessThanOrEqual(BACK_P95_MS);
  }
  expect(Math.max(0, ...figures.backAfterMs, ...figures.backAfterMsNative)).toBeLessThanOrEqual(BACK_LONGEST_MS);
}
