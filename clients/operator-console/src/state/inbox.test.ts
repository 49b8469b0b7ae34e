import type { CallbackStaff, StaffEvent, StaffSession } from '@chat-realtime/client/staff';
import { describe, expect, it } from 'vitest';
import type { AlertItem } from './alerts.ts';
import { countsOf, heldOrder, rowsOf, unreadSessions } from './inbox-view.ts';
import { changed } from './session-change.ts';
import { isSettled } from './settled.ts';
import { transferOf } from './transfers.ts';

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

describe('alerts', () => {
  const alert = (reason: AlertItem['reason'], session_id: number | null = 1): AlertItem => ({
    ...{ id: 1, reason, session_id, created_at: at(1), contact: { name: null, email: null, phone: '+79991234567' } },
  });
  const judged = (reason: AlertItem['reason'], change: Partial<StaffSession> | null) =>
    isSettled(alert(reason), { sessions: change === null ? mapOf() : mapOf(session(1, change)), callbacks: new Map() });

  it('are open while there is something to do, and settled once it was done, by whoever did it', () => {
    expect(judged('session_created', { waiting_since: at(1) })).toBe(false);
    expect(judged('session_created', { waiting_since: at(1), assigned_user_id: 'boris', status: 'active' })).toBe(true);
    expect(judged('waiting', { waiting_since: at(1) })).toBe(false);
    expect(judged('waiting', { waiting_since: null })).toBe(true);
    const reply = message(2, 'operator').data as StaffSession['last_message'];
    expect(judged('reply_unseen', { last_message: reply })).toBe(false);
    expect(judged('reply_unseen', { last_message: reply, client_last_seen_id: 20 })).toBe(true);
    expect(judged('waiting', null)).toBe(true);
  });

  it('about a callback follow the request, by session or by phone number', () => {
    const call = (id: number, status: CallbackStaff['status'], session_id: number | null): CallbackStaff => ({
      ...{
        id,
        status,
        session_id,
        phone: '+79991234567',
        name: null,
        comment: null,
        preferred_at: null,
        due_at: at(1),
      },
      ...{ assigned_user_id: null, result: null, created_at: at(1), updated_at: at(1), extension: null },
    });
    const by = (...calls: CallbackStaff[]) => ({
      sessions: mapOf(),
      callbacks: new Map(calls.map((one) => [one.id, one])),
    });
    expect(isSettled(alert('callback_due'), by(call(1, 'calling', 1)))).toBe(false);
    expect(isSettled(alert('callback_due'), by(call(1, 'done', 1)))).toBe(true);
    expect(isSettled(alert('callback_requested', null), by(call(1, 'done', null), call(2, 'new', null)))).toBe(false);
  });

  it('include a chat that a colleague transferred, but not one that was taken or passed on', () => {
    const assigned = (to: string | null, by: string): StaffEvent => ({
      ...{ type: 'chat.session.assigned', session_id: 7, seq: 3, data: { assigned_user_id: to, by } },
    });
    expect(transferOf(assigned('anna', 'boris'), 'anna', at(1))).toMatchObject({ sessionId: 7, by: 'boris' });
    expect(transferOf(assigned('anna', 'anna'), 'anna', at(1))).toBeNull();
    expect(transferOf(assigned('boris', 'anna'), 'anna', at(1))).toBeNull();
    expect(transferOf(assigned(null, 'boris'), 'anna', at(1))).toBeNull();
  });
});

describe('inbox', () => {
  const all = mapOf(
    session(1, { waiting_since: at(30), unread_count: 1 }),
    session(2, { waiting_since: at(10), unread_count: 2 }),
    session(3, { assigned_user_id: 'anna', status: 'active', unread_count: 1 }),
    session(4, { assigned_user_id: 'boris', status: 'active', unread_count: 1 }),
    session(5, { status: 'closed', unread_count: 3 }),
  );

  it('puts the longest wait first and chats that do not wait last', () => {
    const rows = rowsOf(all, { view: 'all', sort: 'waiting', userId: 'anna' });
    expect(rows.map((row) => row.id)).toEqual([2, 1, 4, 3]);
  });

  it('keeps the open chat in its list, in its place, whoever takes it meanwhile', () => {
    const taken = mapOf(...all.values(), session(2, { ...all.get(2), assigned_user_id: 'anna', status: 'active' }));
    const ids = (keep: number | null) =>
      rowsOf(taken, { view: 'unassigned', sort: 'waiting', userId: 'anna', keep }).map((row) => row.id);
    expect(ids(2)).toEqual([2, 1]);
    expect(ids(null)).toEqual([1]);
  });

  it('shows each view its sessions and counts the same ones', () => {
    const ids = (view: 'mine' | 'unassigned' | 'closed') =>
      rowsOf(all, { view, sort: 'activity', userId: 'anna' }).map((row) => row.id);
    expect(ids('mine')).toEqual([3]);
    expect(ids('unassigned')).toEqual([2, 1]);
    expect(ids('closed')).toEqual([5]);
    expect(countsOf(all, 'anna')).toEqual({ mine: 1, unassigned: 2, all: 4 });
  });

  it('counts unread as the badge does (RD8): unassigned and own, not closed', () => {
    expect(unreadSessions(all, 'anna')).toBe(3);
    expect(unreadSessions(all, 'boris')).toBe(3);
  });

  it('keeps every shown row in its place while held, removed ones too, and puts new ones below', () => {
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

  it('[CB3] learns from the event whether another request is open, and otherwise judges by this request', () => {
    const after = (data: Extract<StaffEvent, { type: 'chat.callback' }>['data']): boolean =>
      changed(session(1), { type: 'chat.callback', session_id: 1, seq: 2, data }).callback_pending;
    expect(after({ id: 1, status: 'done', preferred_at: null, callback_pending: true })).toBe(true);
    expect(after({ id: 1, status: 'no_answer', preferred_at: null })).toBe(true);
    expect(after({ id: 1, status: 'done', preferred_at: null })).toBe(false);
  });

  it('is unassigned when the status is new again, even if nothing else says so', () => {
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
