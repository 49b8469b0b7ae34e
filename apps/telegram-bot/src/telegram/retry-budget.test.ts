import { describe, expect, it } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

describe('[TG23] the retries of one message', () => {
  const newBudget = () => {
    const state = { now: 1_000, isThere: true };
    return { state, budget: new RetryBudget({ isThere: () => state.isThere, now: () => state.now }) };
  };

  it('end only after both five attempts and five minutes', () => {
    const { state, budget } = newBudget();
    expect(Array.from({ length: 9 }, () => budget.isOver(1))).not.toContain(true);
    state.now += 299_999;
    expect(budget.isOver(1)).toBe(false);
    state.now += 1;
    expect(budget.isOver(1)).toBe(true);
    expect(budget.isOver(2)).toBe(false);
    state.now += 300_000;
    expect([budget.isOver(2), budget.isOver(2), budget.isOver(2), budget.isOver(2)]).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it('start over after a success and after an outage of Telegram', () => {
    const { state, budget } = newBudget();
    const tryOften = () => Array.from({ length: 5 }, () => budget.isOver(1));
    tryOften();
    state.now += 300_000;
    budget.end(1);
    expect(tryOften()).not.toContain(true);
    state.now += 300_000;
    state.isThere = false;
    expect(budget.isOver(1)).toBe(false);
    state.isThere = true;
    expect(tryOften()).not.toContain(true);
  });

  it('pause longer each time, up to a minute', () => {
    const { budget } = newBudget();
    const pauses = Array.from({ length: 7 }, () => {
      budget.isOver(1);
      return budget.pauseSeconds(1);
    });
    expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60]);
  });
});
