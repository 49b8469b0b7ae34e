import type { StaffEvent } from '@chat-realtime/client/staff';

export interface MissedEvents {
  readonly lastSeq: number;
  readonly events: readonly StaffEvent[];
}

const isEvent = (value: unknown): value is StaffEvent =>
  typeof value === 'object' && value !== null && 'type' in value && 'seq' in value && 'data' in value;

/** What an answer 409 `stale` tells; an answer without it counts as nothing missed, and the send is asked about anyway. */
export function missedOf(details: unknown, expectedSeq: number): MissedEvents {
  if (typeof details !== 'object' || details === null) return { lastSeq: expectedSeq, events: [] };
  const lastSeq = 'last_seq' in details && typeof details.last_seq === 'number' ? details.last_seq : expectedSeq;
  const events = 'events' in details && Array.isArray(details.events) ? details.events.filter(isEvent) : [];
  return { lastSeq, events };
}
