import { expect, it } from 'vitest';
import { RecordedSocket } from '../testing/recorded-transport.ts';
import { Connection } from './connection.ts';
import { FrameRate } from './frame-rate.ts';

const opened = (frameBurst: number): Connection =>
  new Connection(new RecordedSocket(), { now: 0, authDeadline: 0, frameBurst });

/** How many of `count` frames at one moment are allowed. */
function passing(take: () => boolean, of: number): number {
  return Array.from({ length: of }, take).filter(Boolean).length;
}

it('[RATE5] allows a burst, and then the configured number per second', () => {
  const rate = new FrameRate(10, 20);
  const connection = opened(20);
  expect(passing(() => rate.take(connection, 0), 50)).toBe(20);
  expect(passing(() => rate.take(connection, 500), 50)).toBe(5);
  expect(passing(() => rate.take(connection, 1_500), 50)).toBe(10);
});

it('saves up no more than one burst', () => {
  const rate = new FrameRate(10, 20);
  const connection = opened(20);
  expect(passing(() => rate.take(connection, 3_600_000), 50)).toBe(20);
});

it('counts no time twice', () => {
  const rate = new FrameRate(10, 20);
  const connection = opened(20);
  passing(() => rate.take(connection, 1_000), 50);
  expect(rate.take(connection, 1_000)).toBe(false);
  expect(passing(() => rate.take(connection, 1_100), 5)).toBe(1);
});

it('takes back no time that was already counted', () => {
  const rate = new FrameRate(10, 20);
  const connection = opened(20);
  expect(passing(() => rate.take(connection, -1_000), 50)).toBe(20);
});

it('[RATE6] limits nothing if the rate is 0', () => {
  const rate = new FrameRate(0, 20);
  const connection = opened(20);
  expect(passing(() => rate.take(connection, 0), 1_000)).toBe(1_000);
});

it('always allows at least one frame: a channel that accepts none would be useless', () => {
  const rate = new FrameRate(10, 0);
  const connection = opened(0);
  expect(rate.take(connection, 0)).toBe(false);
  expect(passing(() => rate.take(connection, 10_000), 5)).toBe(1);
});

it('[RATE5] does not count acks and pings as frames', () => {
  const rate = new FrameRate(10, 20);
  const connection = opened(20);
  expect(passing(() => rate.takeFree(connection, 0), 100)).toBe(100);
  expect(passing(() => rate.take(connection, 0), 50)).toBe(20);
});

it('[RATE8] stops a flood of acks and pings: 300 at once, then 100 a second', () => {
  const rate = new FrameRate(10, 20);
  const connection = opened(20);
  expect(passing(() => rate.takeFree(connection, 0), 1_000)).toBe(300);
  expect(passing(() => rate.takeFree(connection, 1_000), 1_000)).toBe(100);
});

it('limits acks and pings even if frames are not limited', () => {
  const rate = new FrameRate(0, 20);
  const connection = opened(20);
  expect(passing(() => rate.takeFree(connection, 0), 1_000)).toBe(300);
});
