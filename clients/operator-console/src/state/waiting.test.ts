import { describe, expect, it } from 'vitest';
import { WAIT_CRITICAL_MS, WAIT_WARNING_MS, waitLevel } from './waiting.ts';

describe('waiting', () => {
  it('has two thresholds', () => {
    expect([0, WAIT_WARNING_MS - 1, WAIT_WARNING_MS, WAIT_CRITICAL_MS].map(waitLevel)).toEqual([
      ...['calm', 'calm', 'warning', 'critical'],
    ]);
  });
});
