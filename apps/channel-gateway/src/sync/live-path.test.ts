import { expect, it } from 'vitest';
import { LivePath } from './live-path.ts';

it('[BES39] a tick that reports a lost source degrades the channel, and the next one without it restores it', () => {
  const path = new LivePath(0, true);
  path.ticked(1_000, true);
  expect([path.refresh(1_000, 0), path.reason]).toEqual([true, 'source_unavailable']);
  // The loss is upstream of the ledger, so faster head checks would not help.
  expect(path.impaired).toBe(false);
  path.ticked(2_000, true);
  expect(path.refresh(2_000, 0)).toBe(false);
  path.ticked(3_000);
  expect([path.refresh(3_000, 0), path.reason]).toEqual([true, null]);
});

it('[BES39] [DEG3] missing ticks take precedence over what the last one reported', () => {
  const path = new LivePath(0, true);
  path.ticked(1_000, true);
  path.refresh(1_000, 0);
  expect([path.refresh(5_000, 0), path.reason]).toEqual([true, 'live_path_silent']);
});

it('[DEG3] is impaired after three seconds without a tick, and restored with the next one', () => {
  const path = new LivePath(0, true);
  expect([path.refresh(3_000, 0), path.reason]).toEqual([false, null]);
  expect([path.refresh(3_001, 0), path.reason, path.impaired]).toEqual([true, 'live_path_silent', true]);
  path.ticked(4_000);
  expect([path.refresh(4_000, 0), path.reason]).toEqual([true, null]);
});

it('is not impaired by silence if nobody sends ticks', () => {
  const path = new LivePath(0, false);
  expect(path.refresh(60_000, 0)).toBe(false);
});

it('names a lost connection to the fan-out before anything else', () => {
  const path = new LivePath(0, true);
  path.fanoutConnected(false);
  expect([path.refresh(60_000, 1), path.reason, path.impaired]).toEqual([true, 'fanout_disconnected', true]);
});

it('waits a second for a tick after the process has stood still', () => {
  const path = new LivePath(0, true);
  path.woke(60_000);
  expect([path.refresh(62_000, 0), path.refresh(62_001, 0)]).toEqual([false, true]);
});

it('reports chat-service after it has failed for three seconds, without faster head checks', () => {
  const path = new LivePath(0, false);
  expect([path.refresh(4_000, 1_000), path.refresh(4_001, 1_000)]).toEqual([false, true]);
  expect([path.reason, path.impaired]).toEqual(['source_unavailable', false]);
});
