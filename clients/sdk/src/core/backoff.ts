const FLOOR_MS = 100;
const FIRST_MS = 500;
const CAP_MS = 30_000;
const AWAY_MS = 5_000;
/** From this many failures on, a server that does not answer is retried at an even pace. */
const EVEN_FROM = 4;
/** How long that pace is kept before the client slows down. */
const LONG_AWAY_MS = 120_000;
/** The failure count restarts from here once the server answers: the failures before that cost it nothing. */
const ANSWERED_FROM = 2;

/** Full jitter: `random(0, min(30 s, 0.5 s × 2^n))`, at least 100 ms, and never less than the server requested. */
export function backoffMs(failures: number, random: number, atLeastMs = 0): number {
  return Math.max(FLOOR_MS, atLeastMs, random * Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(failures, 16)));
}

/**
 * The wait after an attempt that no server answered: refused, cut off, or silence. Such an attempt costs the server
 * nothing, so the wait stays short: the next one comes within 5 s while the server has been away for less than two
 * minutes, and within 30 s after that. (CLS8 promises less: 95 of 100 clients back within 5 s after up to a minute.)
 * From the fifth failure on, at least half of the bound is waited, which keeps the rate at 0.27 attempts per second and
 * client.
 */
export function awayMs(failures: number, random: number, awayForMs: number): number {
  if (failures < EVEN_FROM) return backoffMs(failures, random);
  return (awayForMs < LONG_AWAY_MS ? AWAY_MS : CAP_MS) * (0.5 + random / 2);
}

/** The failure count to go on with when a server answers that did not answer before. */
export const countedByServer = (failures: number): number => Math.min(failures, ANSWERED_FROM);
