import { describe, expect, it } from 'vitest';
import { Patience } from './patience.ts';

describe('[TG23] how long one text is tried', () => {
  const newPatience = () => {
    const state = { now: 1_000, isThere: true };
    return { state, patience: new Patience({ isThere: () => state.isThere, now: () => state.now }) };
  };

  it('is five tries and five minutes, both', () => {
    const { state, patience } = newPatience();
    expect(Array.from({ length: 9 }, () => patience.isOver(1))).not.toContain(true);
    state.now += 299_999;
    expect(patience.isOver(1)).toBe(false);
    state.now += 1;
    expect(patience.isOver(1)).toBe(true);
    expect(patience.isOver(2)).toBe(false);
    state.now += 300_000;
    expect([patience.isOver(2), patience.isOver(2), patience.isOver(2), patience.isOver(2)]).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it('resets after a success and after an outage of Telegram', () => {
    const { state, patience } = newPatience();
    const tryOften = () => Array.from({ length: 5 }, () => patience.isOver(1));
    tryOften();
    state.now += 300_000;
    patience.end(1);
    expect(tryOften()).not.toContain(true);
    state.now += 300_000;
    state.isThere = false;
    expect(patience.isOver(1)).toBe(false);
    state.isThere = true;
    expect(tryOften()).not.toContain(true);
  });

  it('pauses longer each time, up to a minute', () => {
    const { patience } = newPatience();
    const pauses = Array.from({ length: 7 }, () => {
      patience.isOver(1);
      return patience.pauseSeconds(1);
    });
    expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60]);
  });
});
