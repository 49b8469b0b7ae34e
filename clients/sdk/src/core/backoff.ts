const FLOOR_MS = 100;
const FIRST_MS = 500;
const CAP_MS = 30_000;

/** Full jitter: `random(0, min(30 s, 0.5 s × 2^n))`, at least 100 ms, never less than what the server asked for. */
export function backoffMs(attempt: number, random: number, atLeastMs = 0): number {
  return Math.max(FLOOR_MS, atLeastMs, random * Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 16)));
}
