import { describe, expect, it } from 'vitest';
import { ShownMessages } from './shown-messages.ts';
import { score, type Stored } from './score.ts';

const history = (count: number, at = 1_000): Stored[] => Array.from({ length: count }, (_, i) => ({ id: i + 1, at }));
const shown = (...ids: number[]) => ids.map((id) => ({ id, own: false }));

describe('the score of /try/', () => {
  it('counts what is shown, and how long it took', () => {
    const ledger = new ShownMessages();
    ledger.look(shown(1, 2), 1_010);
    ledger.look(shown(1, 2, 3), 1_030);
    expect(score(history(3), ledger, 0, 1_040)).toEqual({
      stored: 3,
      shown: 3,
      underway: 0,
      lost: 0,
      doubled: 0,
      disordered: 0,
      medianMs: 10,
      lastMs: 30,
    });
  });

  it('counts a message as lost after its time, or when a newer one has been shown for a while', () => {
    const late = new ShownMessages();
    expect(score(history(1), late, 0, 15_000)).toMatchObject({ underway: 1, lost: 0 });
    expect(score(history(1), late, 0, 16_001)).toMatchObject({ underway: 0, lost: 1 });
    const gap = new ShownMessages();
    gap.receive(2, 1_005);
    expect(score(history(2), gap, 0, 2_000)).toMatchObject({ underway: 1, lost: 0 });
    expect(score(history(2), gap, 0, 3_100)).toMatchObject({ shown: 1, lost: 1 });
  });

  it('excludes what was stored before the observer began', () => {
    expect(score([...history(2, 500), { id: 3, at: 1_000 }], new ShownMessages(), 900, 1_100)).toMatchObject({
      stored: 1,
    });
  });

  it('detects duplicates and disorder on a page, but accepts older history above and the own message before its turn', () => {
    const ledger = new ShownMessages();
    ledger.look(shown(5, 6), 1);
    ledger.look(shown(1, 2, 5, 6), 2);
    ledger.look([...shown(1, 2, 5, 6), { id: 9, own: true }], 3);
    ledger.look([...shown(1, 2, 5, 6, 8), { id: 9, own: true }], 4);
    expect([ledger.doubled, ledger.disordered]).toEqual([0, 0]);
    ledger.look(shown(1, 2, 5, 6, 6, 8), 5);
    ledger.look(shown(2, 1, 5, 6, 8), 6);
    ledger.look(shown(1, 2, 5, 6, 7, 8), 7);
    expect([ledger.doubled, ledger.disordered]).toEqual([1, 2]);
  });

  it('detects duplicates and disorder in a stream', () => {
    const ledger = new ShownMessages();
    for (const id of [1, 3, 2, 3, 3]) ledger.receive(id, 1);
    expect([ledger.doubled, ledger.disordered, ledger.seen.size]).toEqual([1, 1, 3]);
  });
});
