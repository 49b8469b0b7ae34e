import type { StaffEvent, StaffSession } from '@chat-realtime/client/staff';
import { describe, expect, it } from 'vitest';
import { countsOf, heldOrder, rowsOf, unreadSessions } from './inbox-view.ts';
import { changed } from './session-change.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();

function session(id: number, change: Partial<StaffSession> = {}): StaffSession {
  return {
    ...{ id, status: 'new', created_at: at(0), updated_at: at(id), assigned_user_id: null, assigned_user_name: null },
    ...{ last_seq: 1, version: 1, callback_pending: false, contact: { name: null, email: null, phone: null } },
    ...{ locale: null, page_url: null, attributes: {}, customer_id: null, unread_count: 0, waiting_since: null },
    ...{ last_message: null, client_last_seen_id: 0, client_read_id: 0, staff_read_id: 0 },
    ...change,
  };
}
const mapOf = (...sessions: StaffSession[]): Map<number, StaffSession> => new Map(sessions.map((one) => [one.id, one]));

function message(seq: number, sender: 'client' | 'operator'): StaffEvent {
  return {
    type: sender === 'client' ? 'chat.message.client' : 'chat.message',
    session_id: 1,
    seq,
    data: {
      ...{ id: seq * 10, sender_type: sender, sender_id: null, sender_name: null, body: 'text', attachments: [] },
      ...{ created_at: at(seq), client_message_id: null },
    },
  };
}

describe('inbox', () => {
  const all = mapOf(
    session(1, { waiting_since: at(30), unread_count: 1 }),
    session(2, { waiting_since: at(10), unread_count: 2 }),
    session(3, { assigned_user_id: 'anna', status: 'active', unread_count: 1 }),
    session(4, { assigned_user_id: 'boris', status: 'active', unread_count: 1 }),
    session(5, { status: 'closed', unread_count: 3 }),
  );

  it('puts the longest wait first and those who do not wait last', () => {
    const rows = rowsOf(all, { view: 'all', sort: 'waiting', userId: 'anna' });
    expect(rows.map((row) => row.id)).toEqual([2, 1, 4, 3]);
  });

  it('shows each view its sessions and counts the same', () => {
    const ids = (view: 'mine' | 'unassigned' | 'closed') =>
      rowsOf(all, { view, sort: 'activity', userId: 'anna' }).map((row) => row.id);
    expect(ids('mine')).toEqual([3]);
    expect(ids('unassigned')).toEqual([2, 1]);
    expect(ids('closed')).toEqual([5]);
    expect(countsOf(all, 'anna')).toEqual({ mine: 1, unassigned: 2, all: 4 });
  });

  it('counts unread as the badge does (RD8): nobody’s and own, not closed', () => {
    expect(unreadSessions(all, 'anna')).toBe(3);
    expect(unreadSessions(all, 'boris')).toBe(3);
  });

  it('keeps every shown row in its place while held, gone ones too, and puts new ones below', () => {
    const shown = [4, 2, 1];
    const rows = rowsOf(all, { view: 'unassigned', sort: 'waiting', userId: 'anna' });
    const more = [...rows, session(9)];
    expect(heldOrder(more, shown, all).map((row) => row.id)).toEqual([4, 2, 1, 9]);
  });
});

describe('a row after an event', () => {
  it('counts and begins to wait with the first unanswered message', () => {
    const once = changed(session(1), message(2, 'client'));
    const twice = changed(once, message(3, 'client'));
    expect(twice).toMatchObject({ unread_count: 2, waiting_since: at(2), last_seq: 3 });
    expect(changed(twice, message(4, 'operator'))).toMatchObject({ unread_count: 0, waiting_since: null });
  });

  it('is not changed twice by the same event', () => {
    const once = changed(session(1), message(2, 'client'));
    expect(changed(once, message(2, 'client'))).toBe(once);
  });

  it('is nobody’s when it is new again, which the status alone says', () => {
    const event: StaffEvent = {
      ...{ type: 'chat.session.status', session_id: 1, seq: 2 },
      data: { status: 'new', previous: 'closed', reason: 'customer_message' },
    };
    const closed = session(1, { status: 'closed', assigned_user_id: 'anna', assigned_user_name: 'Анна' });
    expect(changed(closed, event)).toMatchObject({
      ...{ status: 'new', assigned_user_id: null, assigned_user_name: null },
    });
  });

  it('stops waiting when closed', () => {
    const event: StaffEvent = {
      ...{ type: 'chat.session.status', session_id: 1, seq: 2 },
      data: { status: 'closed', previous: 'active', reason: 'operator' },
    };
    expect(changed(session(1, { waiting_since: at(1) }), event)).toMatchObject({
      status: 'closed',
      waiting_since: null,
    });
  });
});
