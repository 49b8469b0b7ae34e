import { describe, expect, it } from 'vitest';
import { FeedTurns } from './feed-turns.ts';

describe('the turns of pages of the feed', () => {
  it('[STF8] serve the nearest of those that arrived together first, then each in turn', () => {
    const turns = new FeedTurns();
    const readers = [10, 500, 90].map((after) => ({ key: {}, after }));
    expect([1, 2, 3, 4, 5, 6].map(() => turns.next(readers))).toEqual([500, 90, 10, 500, 90, 10]);
  });

  it('[STF8] serve a new connection before one that is far behind, without starving the latter', () => {
    const turns = new FeedTurns();
    const far = { key: {}, after: 1 };
    expect([turns.next([far]), turns.next([far])]).toEqual([1, 1]);
    const waits: number[] = [];
    let waited = 0;
    // A new connection arrives before every turn and needs just one page.
    for (let arrival = 0; arrival < 20; arrival += 1) {
      const isFar = turns.next([far, { key: {}, after: 1_000 + arrival }]) === 1;
      if (isFar) waits.push(waited);
      waited = isFar ? 0 : waited + 1;
    }
    expect(waits.length).toBeGreaterThan(5);
    expect(Math.max(...waits)).toBeLessThanOrEqual(2);
  });

  it('give readers at one number a shared page', () => {
    const turns = new FeedTurns();
    const [one, two, three] = [7, 7, 3].map((after) => ({ key: {}, after }));
    if (one === undefined || two === undefined || three === undefined) throw new Error('three readers');
    expect([turns.next([one, two, three]), turns.next([one, two, three])]).toEqual([7, 3]);
    expect(turns.next([])).toBeNull();
  });
});
