import type { Invariant } from './history.ts';

/** I14: after the fault the outbox is empty within its bound, and stays measured until then. */
export const outboxDrains: Invariant = (history, bounds) => {
  const violation = (what: string) => [{ invariant: 'I14 outbox-drains', what }];
  const lastCommit = Math.max(0, ...history.table.map((row) => row.committedAt));
  const due = Math.max(history.healedAt, lastCommit) + bounds.outboxWithinMs;
  const after = history.outbox.filter((sample) => sample.at >= Math.max(history.healedAt, lastCommit));
  if (after.length === 0) return violation('nobody measured the outbox after the fault');
  const empty = after.find((sample) => sample.pending === 0);
  const last = after.at(-1);
  if (empty === undefined) {
    return violation(`${last?.pending} events wait in the outbox, the oldest for ${last?.oldestAgeSeconds} s`);
  }
  return empty.at <= due ? [] : violation(`the outbox was empty ${empty.at - due} ms too late`);
};
