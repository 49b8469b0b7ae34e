import type { StaffScope } from '@chat-realtime/protocol';

/**
 * The caller of an operation. The shapes fit the principals of the verifier, so that routes pass them on as they are.
 */
export interface CustomerActor {
  readonly kind: 'customer';
  readonly sessionId: number;
}

export interface StaffActor {
  readonly kind: 'staff';
  readonly userId: string;
  readonly name: string | null;
  readonly role: 'operator' | 'admin';
  readonly scope: StaffScope;
}

export type Actor = CustomerActor | StaffActor;

/** The assignee of a session. */
export interface Assignee {
  readonly id: string;
  readonly name: string | null;
}

/** Name of a read mark's owner, as in acks and in Redis. */
export function participantOf(actor: Actor): string {
  return actor.kind === 'customer' ? 'client' : `staff:${actor.userId}`;
}
