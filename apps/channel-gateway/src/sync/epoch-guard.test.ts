import { expect, it } from 'vitest';
import { EpochGuard } from './epoch-guard.ts';

it('[RES11] accepts a change once: the previous epoch is accepted again only if no other is reported', () => {
  const guard = new EpochGuard();
  const verdicts = [
    guard.judge('one', 0),
    guard.judge('two', 1_000),
    guard.judge('one', 2_000),
    guard.judge('two', 50_000),
    guard.judge('one', 61_500),
    guard.judge('one', 110_000),
  ];
  expect(verdicts).toEqual(['same', 'changed', 'left', 'same', 'left', 'changed']);
  expect(guard.current).toBe('one');
});
