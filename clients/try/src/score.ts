import type { ShownMessages } from './shown-messages.ts';

/** A message of the server's history. */
export interface Stored {
  readonly id: number;
  /** Unix milliseconds of this same machine's clock. */
  readonly at: number;
}

export interface Score {
  readonly stored: number;
  readonly shown: number;
  /** Stored, not shown, and still within its time. */
  readonly underway: number;
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
  /** From the commit until it was seen. Null before the first. */
  readonly medianMs: number | null;
  readonly lastMs: number | null;
}

/** The promise while a part is down. */
export const PATIENCE_MS = 15_000;
/** A newer one that was seen this long ago proves that this one will not come in its turn. */
const OVERTAKEN_MS = 2_000;

/** `since`: when this observer began; earlier messages were not meant for it. */
export function score(history: readonly Stored[], ledger: ShownMessages, since: number, now: number): Score {
  const stored = history.filter(({ at }) => at >= since);
  const delays: number[] = [];
  let underway = 0;
  let lost = 0;
  let newerSeenAt = Number.POSITIVE_INFINITY;
  let lastMs: number | null = null;
  for (const { id, at } of stored.toReversed()) {
    const seenAt = ledger.seen.get(id);
    if (seenAt !== undefined) {
      const delay = Math.max(0, seenAt - at);
      lastMs ??= delay;
      delays.push(delay);
      newerSeenAt = Math.min(newerSeenAt, seenAt);
    } else if (now - at > PATIENCE_MS || now - newerSeenAt > OVERTAKEN_MS) lost += 1;
    else underway += 1;
  }
  const { doubled, disordered } = ledger;
  const shown = stored.length - lost - underway;
  return { stored: stored.length, shown, underway, lost, doubled, disordered, medianMs: median(delays), lastMs };
}

function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}
