import { expect, it } from 'vitest';
import type { CoreMetrics } from '../core-metrics.ts';
import { CountingMetrics } from '../testing/virtual-gateway.ts';
import { HeadCheck } from './head-check.ts';

/** Every 10 s; `random` 0.5 is no jitter. */
function headCheckUnderTest(random = 0.5) {
  const seconds: number[] = [];
  const metrics: CoreMetrics = {
    ...new CountingMetrics(),
    headCheckDuration: (took) => void seconds.push(took),
  };
  return { check: new HeadCheck({ seconds: 10, metrics, random: () => random, now: 0 }), seconds };
}

it('is due after its interval, counted from the last one', () => {
  const { check } = headCheckUnderTest();
  expect([9_999, 10_000, 10_001, 19_999, 20_000].map((now) => check.due(now, false))).toEqual([
    ...[false, true, false, false, true],
  ]);
});

it('is jittered by a fifth, so that gateways do not call together', () => {
  const [early, late] = [headCheckUnderTest(0).check, headCheckUnderTest(1).check];
  expect([early.due(7_999, false), early.due(8_000, false)]).toEqual([false, true]);
  expect([late.due(11_999, false), late.due(12_001, false)]).toEqual([false, true]);
});

it('is due at once when something may have been missed', () => {
  const { check } = headCheckUnderTest();
  check.hurry();
  expect([check.due(1, false), check.due(2, false)]).toEqual([true, false]);
});

it('[DEG3] is due every two seconds while the live path is impaired', () => {
  const { check } = headCheckUnderTest();
  check.hurry();
  check.due(100, false);
  expect([2_099, 2_100, 4_099, 4_100].map((now) => check.due(now, true))).toEqual([false, true, false, true]);
  expect([6_200, 14_099, 14_100].map((now) => check.due(now, false))).toEqual([false, false, true]);
});

it('reports how long its responses took', () => {
  const { check, seconds } = headCheckUnderTest();
  check.due(10_000, false);
  check.finished(10_250);
  expect(seconds).toEqual([0.25]);
});
