import type { Assignee } from '../actors.ts';

/** `new` is unassigned, `active` is assigned. A closed session keeps its assignee, for lists and for reopening. */
export type SessionState =
  | { readonly status: 'new' }
  | { readonly status: 'active'; readonly assignee: Assignee }
  | { readonly status: 'closed'; readonly assignee: Assignee | null }
  /** A state of a foreign chat-service: shown as it is, never moved by us. */
  | { readonly status: 'foreign'; readonly name: string; readonly assignee: Assignee | null };

/** The events for the session's channel, in this order. */
export type TransitionEvent =
  | { readonly type: 'chat.session.assigned'; readonly by: string }
  | {
      readonly type: 'chat.session.status';
      readonly previous: string;
      readonly reason: 'operator' | 'customer_message' | 'idle';
      readonly by?: string;
    };

/** How a transition affects `waiting_since`. `over`: the next message of the customer starts a new wait. */
export type WaitingChange = 'stays' | 'hidden' | 'back' | 'over';

export interface Transition {
  readonly next: SessionState;
  readonly waiting: WaitingChange;
  /** Empty: the session stays as it is, which is an answer too (a retry of what is done already). */
  readonly events: readonly TransitionEvent[];
}

export function statusName(state: SessionState): string {
  return state.status === 'foreign' ? state.name : state.status;
}

export function assigneeOf(state: SessionState): Assignee | null {
  return state.status === 'new' ? null : state.assignee;
}

export function stateFrom(
  status: string,
  assignedUserId: string | null,
  assignedUserName: string | null,
): SessionState {
  const assignee = assignedUserId === null ? null : { id: assignedUserId, name: assignedUserName };
  if (status === 'new' && assignee === null) return { status };
  if (status === 'closed') return { status, assignee };
  if (status === 'active' && assignee !== null) return { status, assignee };
  return { status: 'foreign', name: status, assignee };
}
