const FLOOR_MS = 100;
const FIRST_MS = 500;
const CAP_MS = 30_000;
const AWAY_MS = 5_000;
/** From this failure on a server that does not answer is asked at an even pace. */
const EVEN_FROM = 4;
/** So long is that pace kept. */
const LONG_AWAY_MS = 120_000;
/** A server that answers again has not seen the failures before that. */
const ANSWERED_FROM = 2;

/** Full jitter: `random(0, min(30 s, 0.5 s × 2^n))`, at least 100 ms, never less than what the server asked for. */
export function backoffMs(failures: number, random: number, atLeastMs = 0): number {
  return Math.max(FLOOR_MS, atLeastMs, random * Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(failures, 16)));
}

/**
 * How long a connection waits after a failure that nobody answered: refused, cut off, or silence. A refusal costs the
 * server nothing, so the wait stays short: everybody is back within 5 s of a server that was away for up to two minutes,
 * and within 30 s later. From the fifth failure on at least half of the bound is waited, which holds the rate at 0.27
 * attempts a second and client.
 */
export function awayMs(failures: number, random: number, awayForMs: number): number {
  if (failures < EVEN_FROM) return backoffMs(failures, random);
  return (awayForMs < LONG_AWAY_MS ? AWAY_MS : CAP_MS) * (0.5 + random / 2);
}

/** The count that goes on where a server answers that did not answer before. */
export const countedByServer = (failures: number): number => Math.min(failures, ANSWERED_FROM);
