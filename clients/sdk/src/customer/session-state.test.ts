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

it('[EVT9] knows a session that is new again for nobody’s, which the status alone says', () => {
  expect(sessionAfter(closed, became('new', 8))).toMatchObject({
    ...{ status: 'new', assigned_user_id: null, assigned_user_name: null, last_seq: 8 },
  });
});

it('keeps whose it is when it is reopened for them', () => {
  expect(sessionAfter(closed, became('active', 8))).toMatchObject({ status: 'active', assigned_user_id: 'anna' });
});

it('is not changed twice by the same event', () => {
  expect(sessionAfter(closed, became('new', 7))).toBe(closed);
});
