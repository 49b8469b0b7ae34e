import { ChatError } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { type SessionState, stateFrom } from '../storage/session-state.ts';
import { type ActionKind, type SessionAction, transition } from './transition.ts';

const anna = { id: 'anna', name: 'Anna' };
const boris = { id: 'boris', name: 'Boris' };
const STATES = {
  new: { status: 'new' },
  anna: { status: 'active', assignee: anna },
  closed: { status: 'closed', assignee: null },
  'closed anna': { status: 'closed', assignee: anna },
  foreign: { status: 'foreign', name: 'snoozed', assignee: anna },
} as const satisfies Record<string, SessionState>;

const ACTIONS: Record<string, SessionAction> = {
  'claim anna': { kind: 'claim', by: anna },
  'claim boris': { kind: 'claim', by: boris },
  'transfer anna>boris': { kind: 'transfer', by: anna, admin: false, to: boris },
  'transfer boris>boris': { kind: 'transfer', by: boris, admin: false, to: boris },
  'transfer boris>anna': { kind: 'transfer', by: boris, admin: false, to: anna },
  'transfer admin>boris': { kind: 'transfer', by: { id: 'admin', name: null }, admin: true, to: boris },
  'unassign anna': { kind: 'unassign', by: anna, admin: false },
  'unassign boris': { kind: 'unassign', by: boris, admin: false },
  'unassign admin': { kind: 'unassign', by: { id: 'admin', name: null }, admin: true },
  close: { kind: 'close', by: boris },
  reopen: { kind: 'reopen', by: boris },
  customer: { kind: 'customer_message' },
  operator: { kind: 'operator_message' },
  idle: { kind: 'idle' },
  return: { kind: 'return' },
};

/** The next state, then the published event; `=` means unchanged; a word with `!` is an error. */
const TABLE: Record<keyof typeof STATES, Record<string, string>> = {
  new: {
    'claim anna': 'active anna: assigned, new>operator',
    'claim boris': 'active boris: assigned, new>operator',
    'transfer anna>boris': 'active boris: assigned, new>operator',
    'transfer boris>boris': 'active boris: assigned, new>operator',
    'transfer boris>anna': 'active anna: assigned, new>operator',
    'transfer admin>boris': 'active boris: assigned, new>operator',
    'unassign anna': '=',
    'unassign boris': '=',
    'unassign admin': '=',
    close: 'closed null: new>operator',
    reopen: '=',
    customer: '=',
    operator: '=',
    idle: 'closed null: new>idle',
    return: '=',
  },
  anna: {
    'claim anna': '=',
    'claim boris': '!already_assigned',
    'transfer anna>boris': 'active boris: assigned',
    'transfer boris>boris': '!already_assigned',
    'transfer boris>anna': '=',
    'transfer admin>boris': 'active boris: assigned',
    'unassign anna': 'new: assigned, active>operator',
    'unassign boris': '!already_assigned',
    'unassign admin': 'new: assigned, active>operator',
    close: 'closed anna: active>operator',
    reopen: '=',
    customer: '=',
    operator: '=',
    idle: 'closed anna: active>idle',
    return: 'new: assigned, active>idle',
  },
  closed: closedRow('new: closed>operator'),
  'closed anna': closedRow('active anna: closed>operator'),
  foreign: Object.fromEntries(
    Object.keys(ACTIONS).map((name) => [
      name,
      name === 'customer' || name === 'operator' ? '=' : '!invalid_transition',
    ]),
  ),
};

function closedRow(reopened: string): Record<string, string> {
  return {
    'claim anna': '!invalid_transition',
    'claim boris': '!invalid_transition',
    'transfer anna>boris': '!invalid_transition',
    'transfer boris>boris': '!invalid_transition',
    'transfer boris>anna': '!invalid_transition',
    'transfer admin>boris': '!invalid_transition',
    'unassign anna': '!invalid_transition',
    'unassign boris': '!invalid_transition',
    'unassign admin': '!invalid_transition',
    close: '=',
    reopen: reopened,
    customer: 'new: closed>customer_message',
    operator: '!session_closed',
    idle: '=',
    return: '=',
  };
}

function describeStep(state: SessionState, action: SessionAction): string {
  try {
    const { next, events } = transition(state, action);
    if (events.length === 0) return next === state ? '=' : 'moved without a word';
    const owner = next.status === 'new' ? next.status : `${next.status} ${next.assignee?.id ?? 'null'}`;
    return `${owner}: ${events.map((event) => (event.type === 'chat.session.assigned' ? 'assigned' : `${event.previous}>${event.reason}`)).join(', ')}`;
  } catch (error) {
    if (error instanceof ChatError) return `!${error.code}`;
    throw error;
  }
}

describe('states of a session', () => {
  const kinds = new Set<ActionKind>(Object.values(ACTIONS).map((action) => action.kind));
  it('[ASG] the table covers every kind of action', () => {
    expect([...kinds].sort()).toEqual([
      'claim',
      'close',
      'customer_message',
      'idle',
      'operator_message',
      'reopen',
      'return',
      'transfer',
      'unassign',
    ]);
  });

  for (const [stateName, state] of Object.entries(STATES)) {
    for (const [actionName, action] of Object.entries(ACTIONS)) {
      it(`[ASG] ${stateName} + ${actionName}`, () => {
        expect(describeStep(state, action)).toBe(TABLE[stateName as keyof typeof STATES][actionName]);
      });
    }
  }

  it('[ASG] a refused claim names the winner', () => {
    expect(() => transition(STATES.anna, { kind: 'claim', by: boris })).toThrow(
      expect.objectContaining({
        code: 'already_assigned',
        details: { assigned_user_id: 'anna', assigned_user_name: 'Anna' },
      }),
    );
  });

  it('[SES] an unknown status is passed on as text', () => {
    expect(stateFrom('snoozed', null, null)).toEqual({ status: 'foreign', name: 'snoozed', assignee: null });
    expect(stateFrom('active', null, null)).toEqual({ status: 'foreign', name: 'active', assignee: null });
    expect(stateFrom('new', 'anna', 'Anna')).toEqual({ status: 'foreign', name: 'new', assignee: anna });
  });
});
