import { agree, complete, isolation, noComplaints, ordered, reliable, unique } from './delivery-invariants.ts';
import type { Bounds, History, Violation } from './history.ts';
import {
  fifoPerSender,
  noDuplicateCommit,
  noLostAck,
  noPhantom,
  outboxDrains,
  seqDense,
} from './storage-invariants.ts';

export const INVARIANTS = {
  I1: noLostAck,
  I2: noDuplicateCommit,
  I3: noPhantom,
  I4: seqDense,
  I5: ordered,
  I6: unique,
  I7: reliable,
  I8: complete,
  I9: agree,
  I13: isolation,
  I14: outboxDrains,
  I16: fifoPerSender,
  client: noComplaints,
} as const;

export type InvariantName = keyof typeof INVARIANTS;

/** All that is wrong with a run, as lines; a run in which nothing happened is wrong too. */
export function check(history: History, bounds: Bounds): string[] {
  const found: Violation[] = Object.values(INVARIANTS).flatMap((invariant) => invariant(history, bounds));
  const empty = [
    ...(history.attempts.some((attempt) => attempt.outcome.kind === 'ok') ? [] : ['no post succeeded']),
    ...(history.observers.length > 0 ? [] : ['nobody observed']),
  ];
  return [...empty, ...history.complaints, ...found.map(({ invariant, what }) => `${invariant}: ${what}`)];
}
