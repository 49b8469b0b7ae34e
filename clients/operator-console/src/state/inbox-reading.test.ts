import type { InboxDelta, StaffClient, StaffEvent, StaffSession } from '@chat-realtime/client/staff';
import { expect, it } from 'vitest';
import { Alerts } from './alerts.ts';
import { Inbox } from './inbox.ts';
import { createCoalescedReload } from './coalesced-reload.ts';

const AT = '2026-01-01T12:00:00.000Z';
const ME = 'u-admin';

function row(id: number, change: Partial<StaffSession> = {}): StaffSession {
  return {
    ...{ id, status: 'new', created_at: AT, updated_at: AT, assigned_user_id: null, assigned_user_name: null },
    ...{ last_seq: 1, version: 1, callback_pending: false, contact: { name: null, email: null, phone: null } },
    ...{ locale: null, page_url: null, attributes: {}, customer_id: null, unread_count: 0, waiting_since: null },
    ...{ last_message: null, client_last_seen_id: 0, client_read_id: 0, staff_read_id: 0 },
    ...change,
  };
}
const assigned = (id: number, seq: number, to: string | null) =>
  ({
    ...{ type: 'chat.session.assigned', session_id: id, seq },
    data: { assigned_user_id: to, assigned_user_name: null },
  }) as StaffEvent;

/** A server that reads rows when asked, as PostgreSQL does, but delivers its answers only when the test lets it. */
function server() {
  const rows = new Map<number, StaffSession>();
  const travelling: (() => void)[] = [];
  const listeners = new Map<string, (value: never) => void>();
  let reads = 0;
  const answer = async <T>(read: () => T): Promise<T> => {
    reads += 1;
    const value = read();
    await new Promise<void>((arrive) => travelling.push(arrive));
    return value;
  };
  // Only the part of the client that is used here.
  const client: object = {
    api: {
      session: (id: number) => answer(() => rows.get(id)),
      sessions: () => answer(() => ({ sessions: [...rows.values()], next_page: null, feed_cursor: 'c1' })),
      alerts: () => answer(() => ({ alerts: [], waiting_count: 0, oldest_waiting_since: null, callbacks_due: 0 })),
    },
    on: (name: string, listener: (value: never) => void) => {
      listeners.set(name, listener);
      return () => listeners.delete(name);
    },
    subscribe: () => () => undefined,
    getState: () => ({ badge: null }),
    seed: () => undefined,
    connect: () => undefined,
  };
  return {
    rows,
    client: client as StaffClient,
    reads: () => reads,
    receive(event: StaffEvent) {
      listeners.get('inbox')?.(new Map([[event.session_id, [event]]]) as InboxDelta as never);
    },
    reset: () => listeners.get('reset')?.({ reason: 'epoch_changed' } as never),
    /** Delivers the pending answers, and what follows from them. */
    async arrive() {
      for (const one of travelling.splice(0)) one();
      await new Promise((settled) => setTimeout(settled, 1));
    },
  };
}

async function loaded(chat: ReturnType<typeof server>): Promise<Inbox> {
  const inbox = new Inbox(chat.client, () => ME);
  void inbox.load();
  await chat.arrive();
  return inbox;
}
const mine = (inbox: Inbox): number[] => inbox.rows('mine', 'activity').map(({ id }) => id);

it('a new chat that is assigned while its row is being read appears in the right list', async () => {
  const chat = server();
  const inbox = await loaded(chat);
  chat.rows.set(7, row(7));
  chat.receive({ ...assigned(7, 1, null), type: 'chat.message.client' } as StaffEvent);
  chat.rows.set(7, row(7, { last_seq: 2, assigned_user_id: ME }));
  chat.receive(assigned(7, 2, ME));
  await chat.arrive();
  await chat.arrive();
  expect(mine(inbox)).toEqual([7]);
});

it('a row that follows a gap is read again until it includes the event that arrived', async () => {
  const chat = server();
  chat.rows.set(7, row(7));
  const inbox = await loaded(chat);
  chat.rows.set(7, row(7, { last_seq: 4, unread_count: 2 }));
  chat.receive(assigned(7, 4, null));
  chat.rows.set(7, row(7, { last_seq: 6, unread_count: 3, assigned_user_id: ME }));
  chat.receive(assigned(7, 6, ME));
  await chat.arrive();
  await chat.arrive();
  expect(inbox.getState().sessions.get(7)).toMatchObject({ last_seq: 6, unread_count: 3, assigned_user_id: ME });
});

it('rows of a restored database replace the previous ones, whose numbers were higher', async () => {
  const chat = server();
  chat.rows.set(7, row(7, { last_seq: 9, unread_count: 4, assigned_user_id: ME }));
  chat.rows.set(8, row(8, { last_seq: 9, status: 'closed' }));
  const inbox = await loaded(chat);
  void inbox.refresh(7);
  chat.rows.set(7, row(7, { last_seq: 3, unread_count: 1 }));
  chat.reset();
  // First the answer of the old database, then that of the new one.
  await chat.arrive();
  await chat.arrive();
  expect([...inbox.getState().sessions.values()]).toMatchObject([
    { id: 7, last_seq: 3, unread_count: 1, assigned_user_id: null },
    { id: 8, last_seq: 9 },
  ]);
});

it('alerts seen before a restore hide none of the restored state', async () => {
  const chat = server();
  const kept = new Map([['chat-console:alerts-seen:u-admin', '90']]);
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, to: string) => void kept.set(key, to),
  };
  const alerts = new Alerts(chat.client, storage, ME);
  void alerts.load();
  await chat.arrive();
  expect(alerts.getState().seen).toBe(0);
  alerts.destroy();
});

it('merges reloads: one more for any number of requests made meanwhile', async () => {
  const ends: (() => void)[] = [];
  let reads = 0;
  const reread = createCoalescedReload(async () => {
    reads += 1;
    await new Promise<void>((end) => ends.push(end));
  });
  const asked = Promise.all([reread(1), reread(1), reread(1)]);
  expect(reads).toBe(1);
  ends.shift()?.();
  await new Promise((settled) => setTimeout(settled, 1));
  expect(reads).toBe(2);
  ends.shift()?.();
  await asked;
  void reread(1);
  expect(reads).toBe(3);
});

it('of very many open chats a part is read, and the rest as the list is scrolled', async () => {
  const open = 12_000;
  const asked: { page?: string | undefined; sort?: string; assigned?: string }[] = [];
  const sessions = async (query: (typeof asked)[number]) => {
    asked.push(query);
    if (query.assigned === 'me')
      return { sessions: [row(open, { assigned_user_id: ME })], next_page: null, feed_cursor: 'c' };
    const from = Number(query.page ?? 0);
    const ids = Array.from({ length: Math.min(200, open - from) }, (_, n) => from + n + 1);
    return {
      sessions: ids.map((id) => row(id)),
      next_page: from + 200 < open ? String(from + 200) : null,
      feed_cursor: 'c',
    };
  };
  const client: object = { ...server().client, api: { sessions }, connect: () => undefined };
  const inbox = new Inbox(client as StaffClient, () => ME);
  await inbox.load();
  expect(asked.length).toBeLessThanOrEqual(30);
  expect(inbox.getState().open).toBe('partial');
  expect(mine(inbox)).toEqual([open]);
  const before = inbox.getState().sessions.size;
  await Promise.all([inbox.loadMore(), inbox.loadMore()]);
  expect(inbox.getState().sessions.size).toBe(before + 200);
  while (inbox.getState().open === 'partial') await inbox.loadMore();
  expect(inbox.getState().sessions.size).toBe(open);
  const calls = asked.length;
  await inbox.loadMore();
  expect(asked.length).toBe(calls);
});

it('closed chats are read only once the starting point of the channel is known', async () => {
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  const sessions = ({ status }: { status: string }): Promise<object> => {
    asked.push(status);
    const answer = { sessions: [], next_page: null, feed_cursor: 'c' };
    return new Promise((settle) => answers.set(status, () => settle(answer)));
  };
  const client: object = { ...server().client, api: { sessions }, connect: () => asked.push('channel') };
  const inbox = new Inbox(client as StaffClient, () => ME);
  const loading = inbox.load();
  const closed = inbox.loadClosed();
  await new Promise((settled) => setTimeout(settled, 1));
  answers.get('new,active')?.();
  await loading;
  await new Promise((settled) => setTimeout(settled, 1));
  answers.get('closed')?.();
  await closed;
  expect(asked).toEqual(['new,active', 'channel', 'closed']);
});
