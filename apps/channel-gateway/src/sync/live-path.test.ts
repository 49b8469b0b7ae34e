import { expect, it } from 'vitest';
import { LivePath } from './live-path.ts';

it('[BES39] a tick that says that a source is lost degrades the channel, and the next one that does not restores it', () => {
  const path = new LivePath(0, true);
  path.ticked(1_000, true);
  expect([path.refresh(1_000, 0), path.reason]).toEqual([true, 'source_unavailable']);
  // What is lost is before the ledger: heads need no hurry.
  expect(path.impaired).toBe(false);
  path.ticked(2_000, true);
  expect(path.refresh(2_000, 0)).toBe(false);
  path.ticked(3_000);
  expect([path.refresh(3_000, 0), path.reason]).toEqual([true, null]);
});

it('[BES39] [DEG3] the silence of the ticks themselves goes before what the last one said', () => {
  const path = new LivePath(0, true);
  path.ticked(1_000, true);
  path.refresh(1_000, 0);
  expect([path.refresh(5_000, 0), path.reason]).toEqual([true, 'live_path_silent']);
});
