import { callbackStatusSchema, isOpenCallback } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import type { Session, SessionEvent } from '../api/protocol.ts';
import { sessionAfter } from './session-state.ts';

const closed: Session = {
  ...{ id: 1, status: 'closed', created_at: '2026-01-01T00:00:00Z', last_seq: 7, version: 3, callback_pending: false },
  ...{ assigned_user_id: 'anna', assigned_user_name: 'Анна' },
};
const became = (status: string, seq: number): SessionEvent => ({
  ...{
    type: 'chat.session.status',
    session_id: 1,
    seq,
    data: { status, previous: 'closed', reason: 'customer_message' },
  },
});

it('[EVT9] treats a session that is new again as unassigned, even if only the status says so', () => {
  expect(sessionAfter(closed, became('new', 8))).toMatchObject({
    ...{ status: 'new', assigned_user_id: null, assigned_user_name: null, last_seq: 8 },
  });
});

it('keeps the assignee if it is reopened for them', () => {
  expect(sessionAfter(closed, became('active', 8))).toMatchObject({ status: 'active', assigned_user_id: 'anna' });
});

it('[CB3] learns from the event whether another request is open, and otherwise judges by this request', () => {
  const after = (data: Extract<SessionEvent, { type: 'chat.callback' }>['data']): boolean =>
    sessionAfter(closed, { type: 'chat.callback', session_id: 1, seq: 8, data }).callback_pending;
  const done = { id: 1, status: 'done', preferred_at: null } as const;
  expect(after({ ...done, callback_pending: true })).toBe(true);
  expect(after({ ...done, callback_pending: false })).toBe(false);
  for (const status of callbackStatusSchema.options) {
    expect(after({ ...done, status }), status).toBe(isOpenCallback(status));
  }
});

it('is not changed twice by the same event', () => {
  expect(sessionAfter(closed, became('new', 7))).toBe(closed);
});
