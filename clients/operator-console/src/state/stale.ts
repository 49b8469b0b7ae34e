import type { StaffEvent } from '@chat-realtime/client/staff';

export interface MissedEvents {
  readonly lastSeq: number;
  readonly events: readonly StaffEvent[];
}

const isEvent = (value: unknown): value is StaffEvent =>
  typeof value === 'object' && value !== null && 'type' in value && 'seq' in value && 'data' in value;

/**
 * The content of a 409 `stale` answer. Without content nothing counts as missed, and the operator is asked to confirm
 * the send anyway.
 */
export function missedOf(details: unknown, expectedSeq: number): MissedEvents {
  if (typeof details !== 'object' || details === null) return { lastSeq: expectedSeq, events: [] };
  const lastSeq = 'last_seq' in details && typeof details.last_seq === 'number' ? details.last_seq : expectedSeq;
  const events = 'events' in details && Array.isArray(details.events) ? details.events.filter(isEvent) : [];
  return { lastSeq, events };
}
