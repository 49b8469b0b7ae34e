import { expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Gap, GapTimer } from './gap-timer.ts';

function timerUnderTest() {
  const clock = new VirtualClock();
  const asked: number[] = [];
  const timer = new GapTimer(clock, () => asked.push(clock.now()));
  return { clock, asked, timer };
}

it('requests what is missing 50 ms after it was first missed', async () => {
  const { clock, asked, timer } = timerUnderTest();
  timer.start();
  await clock.advance(49);
  expect(asked).toEqual([]);
  await clock.advance(1);
  expect(asked).toEqual([50]);
});

it('requests once, however much is missing and however often that is noticed', async () => {
  const { clock, asked, timer } = timerUnderTest();
  timer.start();
  await clock.advance(30);
  timer.start();
  await clock.advance(100);
  expect(asked).toEqual([50]);
});

it('can be started again after it has requested', async () => {
  const { clock, asked, timer } = timerUnderTest();
  timer.start();
  await clock.advance(50);
  timer.start();
  await clock.advance(50);
  expect(asked).toEqual([50, 100]);
});

it('requests nothing after it was stopped', async () => {
  const { clock, asked, timer } = timerUnderTest();
  timer.start();
  timer.stop();
  await clock.advance(100);
  expect(asked).toEqual([]);
});

it('requests sooner if something is due sooner', async () => {
  const { clock, asked, timer } = timerUnderTest();
  timer.start(400);
  timer.start(100);
  timer.start(300);
  await clock.advance(1_000);
  expect(asked).toEqual([100]);
});

it('doubles its wait after each response that fills nothing, and finally gives up the gap', () => {
  const gap = new Gap();
  const waits = [gap.waitMs];
  for (let isWorthIt = gap.unfilled(); isWorthIt; isWorthIt = gap.unfilled()) waits.push(gap.waitMs);
  expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 6_400]);
});

it('counts a gap once until it is closed, and resets the wait when more is missing', () => {
  const gap = new Gap();
  expect([gap.confirm(), gap.isDue, gap.unfilled(), gap.isDue, gap.confirm()]).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  gap.noticed();
  expect([gap.waitMs, gap.confirm()]).toEqual([50, false]);
  gap.close();
  expect([gap.isDue, gap.confirm()]).toEqual([false, true]);
});
