import { describe, expect, it } from 'vitest';
import { scrollToShow, windowOf } from './window.ts';

describe('window of a long list', () => {
  it('draws a few dozen of 5,000 rows wherever it is scrolled', () => {
    for (const scrollTop of [0, 76 * 2_500, 76 * 5_000]) {
      const { from, to } = windowOf({ scrollTop, height: 900 }, { count: 5_000, rowHeight: 76 });
      expect(to - from).toBeLessThan(40);
      expect(to).toBeLessThanOrEqual(5_000);
    }
  });
  it('scrolls only as far as needed to show a row', () => {
    const sight = { scrollTop: 760, height: 760 };
    expect(scrollToShow(12, 76, sight)).toBeNull();
    expect(scrollToShow(2, 76, sight)).toBe(152);
    expect(scrollToShow(20, 76, sight)).toBe(836);
  });
});
