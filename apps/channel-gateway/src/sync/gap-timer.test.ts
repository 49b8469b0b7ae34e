import { expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { GapTimer } from './gap-timer.ts';

function timerUnderTest() {
  const clock = new VirtualClock();
  const asked: number[] = [];
  const timer = new GapTimer(clock, () => asked.push(clock.now()));
  return { clock, asked, timer };
}

it('asks for what is missing 50 ms after it was first missed', async () => {
  const { clock, asked, timer } = timerUnderTest();
  timer.start();
  await clock.advance(49);
  expect(asked).toEqual([]);
  await clock.advance(1);
  expect(asked).toEqual([50]);
});

it('asks once, however much is missing and however often that is noticed', async () => {
  const { clock, asked, timer } = timerUnderTest();
  timer.start();
  await clock.advance(30);
  timer.start();
  await clock.advance(100);
  expect(asked).toEqual([50]);
});

it('can be started again once it has asked', async () => {
  const { clock, asked, timer } = timerUnderTest();
  timer.start();
  await clock.advance(50);
  timer.start();
  await clock.advance(50);
  expect(asked).toEqual([50, 100]);
});

it('asks nothing once it is stopped', async () => {
  const { clock, asked, timer } = timerUnderTest();
  timer.start();
  timer.stop();
  await clock.advance(100);
  expect(asked).toEqual([]);
});
