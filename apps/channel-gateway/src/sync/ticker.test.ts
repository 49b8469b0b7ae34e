import { expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { SILENT_LOGGER } from '../testing/virtual-gateway.ts';
import { OVERLOAD_LAG_MS, Ticker } from './ticker.ts';

function started(isBusy: () => boolean) {
  const clock = new VirtualClock();
  const paused: boolean[] = [];
  let slow = 0;
  const ticker = new Ticker({
    clock,
    logger: SILENT_LOGGER,
    overloadLagMs: OVERLOAD_LAG_MS,
    isBusy,
    each: (tick) => void paused.push(tick.paused),
    slow: () => {
      slow += 1;
    },
  });
  ticker.start();
  return { clock, ticker, paused, slowTicks: () => slow };
}

it('ticks five times a second, and once a second for less urgent work', async () => {
  const { clock, paused, slowTicks } = started(() => true);
  await clock.advance(10_000);
  expect(paused).toHaveLength(50);
  expect(slowTicks()).toBe(10);
});

it('admits nobody new while the process stands still and for a second after', async () => {
  const { clock, ticker, paused } = started(() => true);
  await clock.advance(1_000);
  clock.freeze(3_000);
  expect(ticker.overloaded).toBe(true);
  await clock.advance(0);
  expect(paused.at(-1)).toBe(true);
  await clock.advance(900);
  expect(ticker.overloaded).toBe(true);
  await clock.advance(300);
  expect([ticker.overloaded, paused.at(-1)]).toEqual([false, false]);
});

it('does not treat a pause with nobody connected as load', async () => {
  const { clock, ticker } = started(() => false);
  clock.freeze(3_000);
  expect(ticker.overloaded).toBe(false);
  await clock.advance(10);
  expect(ticker.overloaded).toBe(false);
});

it('admits all who arrive at once after a pause with nobody connected, not only the first', async () => {
  let isBusy = false;
  const { clock, ticker } = started(() => isBusy);
  clock.freeze(3_000);
  isBusy = true;
  expect(ticker.overloaded).toBe(false);
  await clock.advance(10);
  expect(ticker.overloaded).toBe(false);
});
