import { ChatError } from '@chat-realtime/protocol';

export interface Assignee {
  readonly id: string;
  readonly name: string | null;
}

/** `new` is nobody's, `active` somebody's; a closed session keeps whose it was, for the lists and for reopening. */
export type SessionState =
  | { readonly status: 'new' }
  | { readonly status: 'active'; readonly assignee: Assignee }
  | { readonly status: 'closed'; readonly assignee: Assignee | null }
  /** A state of a foreign chat-service: shown as it is, never moved by us. */
  | { readonly status: 'foreign'; readonly name: string; readonly assignee: Assignee | null };

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
  /** Closed by the clock. */
  | { readonly kind: 'idle' }
  /** Back to the queue by the clock. */
  | { readonly kind: 'return' };

export type ActionKind = SessionAction['kind'];

/** What the session's channel is told, in this order. */
export type TransitionEvent =
  | { readonly type: 'chat.session.assigned'; readonly by: string }
  | {
      readonly type: 'chat.session.status';
      readonly previous: string;
      readonly reason: 'operator' | 'customer_message' | 'idle';
      readonly by?: string;
    };

/** What a step does to the customer's waiting; `over`: what is written next begins it anew. */
export type WaitingChange = 'stays' | 'hidden' | 'back' | 'over';

export interface Transition {
  readonly next: SessionState;
  readonly waiting: WaitingChange;
  /** Empty: the session stays as it is, which is an answer too (a retry of what is done already). */
  readonly events: readonly TransitionEvent[];
}

export const SYSTEM_ACTOR = 'system';

function stay(state: SessionState): Transition {
  return { next: state, waiting: 'stays', events: [] };
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

function noStep(state: SessionState, action: SessionAction): ChatError {
  return new ChatError(
    'invalid_transition',
    `a session that is ${statusName(state)} cannot take the step ${action.kind}`,
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

/** The one table of what may happen to a session. Throws `ChatError` where the step does not exist. */
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
