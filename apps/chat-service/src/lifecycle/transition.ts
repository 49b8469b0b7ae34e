import { ChatError } from '@chat-realtime/protocol';
import type { Assignee } from '../actors.ts';
import { type SessionState, statusName, type Transition, type TransitionEvent } from '../storage/session-state.ts';

export type SessionAction =
  /** By an operator for themself. */
  | { readonly kind: 'claim'; readonly by: Assignee }
  /** By an operator, to a named one. */
  | { readonly kind: 'transfer'; readonly by: Assignee; readonly admin: boolean; readonly to: Assignee }
  | { readonly kind: 'unassign'; readonly by: Assignee; readonly admin: boolean }
  | { readonly kind: 'close'; readonly by: Assignee }
  | { readonly kind: 'reopen'; readonly by: Assignee }
  | { readonly kind: 'customer_message' }
  | { readonly kind: 'operator_message' }
  /** Closed after a time without messages. */
  | { readonly kind: 'idle' }
  /** Returned to the queue after a time. */
  | { readonly kind: 'return' };

export type ActionKind = SessionAction['kind'];

export const SYSTEM_ACTOR = 'system';

function stay(state: SessionState): Transition {
  return { next: state, waiting: 'stays', events: [] };
}

function noStep(state: SessionState, action: SessionAction): ChatError {
  return new ChatError(
    'invalid_transition',
    `the step ${action.kind} is not possible for a session that is ${statusName(state)}`,
    {
      details: { status: statusName(state), action: action.kind },
    },
  );
}

function taken(assignee: Assignee): ChatError {
  return new ChatError('already_assigned', 'another operator has this session', {
    details: { assigned_user_id: assignee.id, assigned_user_name: assignee.name },
  });
}

function give(to: Assignee, by: string, previous: 'new' | 'active'): Transition {
  const assigned: TransitionEvent = { type: 'chat.session.assigned', by };
  const events: TransitionEvent[] =
    previous === 'new' ? [assigned, { type: 'chat.session.status', previous, reason: 'operator', by }] : [assigned];
  return { next: { status: 'active', assignee: to }, waiting: 'stays', events };
}

function free(by: string, reason: 'operator' | 'idle'): Transition {
  const status: TransitionEvent =
    reason === 'operator'
      ? { type: 'chat.session.status', previous: 'active', reason, by }
      : { type: 'chat.session.status', previous: 'active', reason };
  return { next: { status: 'new' }, waiting: 'stays', events: [{ type: 'chat.session.assigned', by }, status] };
}

function fromNew(state: SessionState & { status: 'new' }, action: SessionAction): Transition {
  switch (action.kind) {
    case 'claim':
      return give(action.by, action.by.id, 'new');
    case 'transfer':
      return give(action.to, action.by.id, 'new');
    case 'close':
      return {
        next: { status: 'closed', assignee: null },
        waiting: 'hidden',
        events: [{ type: 'chat.session.status', previous: 'new', reason: 'operator', by: action.by.id }],
      };
    case 'idle':
      return {
        next: { status: 'closed', assignee: null },
        waiting: 'hidden',
        events: [{ type: 'chat.session.status', previous: 'new', reason: 'idle' }],
      };
    case 'unassign':
    case 'reopen':
    case 'return':
    case 'customer_message':
    case 'operator_message':
      return stay(state);
  }
}

function fromActive(state: SessionState & { status: 'active' }, action: SessionAction): Transition {
  const { assignee } = state;
  switch (action.kind) {
    case 'claim':
      if (action.by.id !== assignee.id) throw taken(assignee);
      return stay(state);
    case 'transfer':
      if (action.to.id === assignee.id) return stay(state);
      if (action.by.id !== assignee.id && !action.admin) throw taken(assignee);
      return give(action.to, action.by.id, 'active');
    case 'unassign':
      if (action.by.id !== assignee.id && !action.admin) throw taken(assignee);
      return free(action.by.id, 'operator');
    case 'close':
      return {
        next: { status: 'closed', assignee },
        waiting: 'hidden',
        events: [{ type: 'chat.session.status', previous: 'active', reason: 'operator', by: action.by.id }],
      };
    case 'idle':
      return {
        next: { status: 'closed', assignee },
        waiting: 'hidden',
        events: [{ type: 'chat.session.status', previous: 'active', reason: 'idle' }],
      };
    case 'return':
      return free(SYSTEM_ACTOR, 'idle');
    case 'reopen':
    case 'customer_message':
    case 'operator_message':
      return stay(state);
  }
}

function fromClosed(state: SessionState & { status: 'closed' }, action: SessionAction): Transition {
  switch (action.kind) {
    case 'reopen':
      return {
        next: state.assignee === null ? { status: 'new' } : { status: 'active', assignee: state.assignee },
        waiting: 'back',
        events: [{ type: 'chat.session.status', previous: 'closed', reason: 'operator', by: action.by.id }],
      };
    case 'customer_message':
      return {
        next: { status: 'new' },
        waiting: 'over',
        events: [{ type: 'chat.session.status', previous: 'closed', reason: 'customer_message' }],
      };
    case 'operator_message':
      throw new ChatError('session_closed', 'the session is closed; reopen it first');
    case 'close':
    case 'idle':
    case 'return':
      return stay(state);
    case 'claim':
    case 'transfer':
    case 'unassign':
      throw noStep(state, action);
  }
}

/** The only table of session transitions. Throws `ChatError` if the transition does not exist. */
export function transition(state: SessionState, action: SessionAction): Transition {
  switch (state.status) {
    case 'new':
      return fromNew(state, action);
    case 'active':
      return fromActive(state, action);
    case 'closed':
      return fromClosed(state, action);
    case 'foreign':
      if (action.kind === 'customer_message' || action.kind === 'operator_message') return stay(state);
      throw noStep(state, action);
  }
}
