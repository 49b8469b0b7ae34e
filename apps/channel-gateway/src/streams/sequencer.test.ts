import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sequencer } from './sequencer.ts';

/** What the caller passes on for one arriving event. */
function passOn(sequence: Sequencer<number>, number: number): number[] {
  if (sequence.accept(number, number) !== 'next') return [];
  const out = [number];
  for (let held = sequence.following(); held !== undefined; held = sequence.following()) out.push(held);
  return out;
}

describe('a dense sequence', () => {
  it('[STF5] [CH] passes on every event once and in order, however they arrive', () => {
    const arrivals = fc.integer({ min: 1, max: 40 }).chain((size) => {
      const numbers = Array.from({ length: size }, (_, index) => index + 1);
      const repeats = fc.array(fc.constantFrom(...numbers), { maxLength: 20 });
      return repeats.chain((again) => fc.shuffledSubarray([...numbers, ...again], { minLength: size + again.length }));
    });
    fc.assert(
      fc.property(arrivals, (order) => {
        const sequence = new Sequencer<number>(100);
        sequence.restart(0);
        const out = order.flatMap((number) => passOn(sequence, number));
        expect(out).toEqual([...new Set(order)].sort((left, right) => left - right));
        expect(sequence.heldCount).toBe(0);
      }),
    );
  });

  it('holds no more than its limit; the rest is read again', () => {
    const sequence = new Sequencer<number>(2);
    sequence.restart(0);
    for (const number of [3, 4, 5]) expect(passOn(sequence, number)).toEqual([]);
    expect(sequence.heldCount).toBe(2);
    expect(passOn(sequence, 1)).toEqual([1]);
    expect(passOn(sequence, 2)).toEqual([2, 3, 4]);
    expect(passOn(sequence, 5)).toEqual([5]);
  });

  it('skips numbers that a page has shown not to exist', () => {
    const sequence = new Sequencer<number>(100);
    sequence.restart(0);
    expect(passOn(sequence, 5)).toEqual([]);
    sequence.skipTo(4);
    expect(sequence.following()).toBe(5);
    sequence.skipTo(3);
    expect(sequence.cursor).toBe(5);
  });

  it('forgets held events if those before them do not exist', () => {
    const sequence = new Sequencer<number>(100);
    sequence.restart(0);
    expect(passOn(sequence, 3)).toEqual([]);
    sequence.dropHeld();
    expect(sequence.heldCount).toBe(0);
    expect([1, 2, 3].flatMap((number) => passOn(sequence, number))).toEqual([1, 2, 3]);
  });
});
