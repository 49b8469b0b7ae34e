import { sessionListResponseSchema } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionListQuery } from '../storage/session-record.ts';
import { anna, boris, type Harness, newChat, operator, Stage, text } from '../../test/harness.ts';

const stage = new Stage();
afterAll(() => stage.stop());

describe('marks, numbers and inbox on postgres', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await stage.harness();
  });

  const row = async (id: number) => {
    const session = await harness.chat.getSession(anna, id);
    if (!('unread_count' in session)) throw new Error('staff were given the customer form');
    return session;
  };
  const list = async (query: Partial<SessionListQuery>, actor = anna) => {
    // No relay runs here, and the list waits a while for numbers.
    await harness.stamp();
    return harness.chat.listSessions(actor, { sort: 'activity', limit: 100, ...query });
  };

  it('[RD] marks never go back and stop at the newest message', async () => {
    const { chat, publisher } = harness;
    const { id, customer, says } = await newChat(chat);
    expect(await chat.markRead(customer, id, 9)).toEqual({ read_id: 0 });
    const own = await says('a');
    const { message } = await chat.postMessage(anna, id, text('b'));
    expect(await chat.markRead(customer, id, own)).toEqual({ read_id: own });
    expect(await chat.markRead(customer, id, 2 ** 53 - 1)).toEqual({ read_id: message.id });
    expect(await chat.markRead(customer, id, own)).toEqual({ read_id: message.id });
    const told = publisher.ephemerals.filter((one) => one.type === 'chat.read' && one.session_id === id);
    expect(told.map((one) => one.data)).toEqual([
      { by: 'staff', delivered_id: message.id, read_id: message.id },
      { by: 'client', delivered_id: own, read_id: own },
      { by: 'client', delivered_id: message.id, read_id: message.id },
    ]);
    expect(await row(id)).toMatchObject({
      client_read_id: message.id,
      client_last_seen_id: message.id,
      staff_read_id: message.id,
    });
  });

  it("[RD] the team mark is moved by the assignee’s mark and any operator’s message, and by no other operator's reading", async () => {
    const { chat } = harness;
    const { id, says } = await newChat(chat);
    const ids = [await says('1'), await says('2'), await says('3')];
    await chat.markRead(boris, id, ids[2]!);
    expect((await row(id)).unread_count).toBe(3);
    await chat.assign(anna, id);
    await chat.markRead(boris, id, ids[2]!);
    expect((await row(id)).unread_count).toBe(3);
    await chat.markRead(anna, id, ids[1]!);
    expect(await row(id)).toMatchObject({ unread_count: 1, staff_read_id: ids[1] });
    await chat.markRead(anna, id, ids[0]!);
    expect((await row(id)).unread_count).toBe(1);
    await says('4');
    expect((await row(id)).unread_count).toBe(2);
    await chat.postMessage(boris, id, text('answer'));
    expect((await row(id)).unread_count).toBe(0);
  });

  it('[RD6] waiting_since is the first unanswered message; only a reply clears it, and closing hides it', async () => {
    const { chat } = harness;
    const { id, says } = await newChat(chat, 'first');
    const first = (await row(id)).waiting_since;
    expect(first).not.toBeNull();
    await says('second');
    await chat.assign(anna, id);
    await chat.markRead(anna, id, 2 ** 40);
    expect((await row(id)).waiting_since).toBe(first);
    await chat.postMessage(anna, id, text('reply'));
    expect((await row(id)).waiting_since).toBeNull();
    await says('third');
    await chat.close(anna, id);
    expect((await row(id)).waiting_since).toBeNull();
  });

  it('[RD6] closing hides that a customer waits, and an operator’s reopening shows it again', async () => {
    const { chat } = harness;
    const { id, says } = await newChat(chat, 'never answered');
    const since = (await row(id)).waiting_since;
    const before = await chat.badge();
    for (let round = 0; round < 2; round += 1) {
      await chat.close(anna, id);
      const closed = await chat.badge();
      expect([(await row(id)).waiting_since, closed.waiting_count]).toEqual([null, before.waiting_count - 1]);
      expect((await chat.alerts(anna, null)).waiting_count).toBe(closed.waiting_count);
      await chat.reopen(anna, id);
      expect((await row(id)).waiting_since).toBe(since);
      expect(await chat.badge()).toEqual(before);
    }
    await chat.close(anna, id);
    await says('anybody there?');
    const anew = await row(id);
    expect(anew.waiting_since).toBe(anew.last_message?.created_at);
    expect(anew.waiting_since).not.toBe(since);
    await chat.postMessage(anna, id, text('here I am'));
    await chat.close(anna, id);
    await chat.reopen(anna, id);
    expect((await row(id)).waiting_since).toBeNull();
  });

  it('[RD6] the database stores no closed session as waiting, so that no reader can count one', async () => {
    const { chat, database } = harness;
    const { id } = await newChat(chat, 'question');
    await chat.close(anna, id);
    const forced = sql`UPDATE chat_session SET waiting_since = now() WHERE id = ${id}`.execute(database.kysely);
    await expect(forced).rejects.toThrow(/closed_waits_for_nobody/);
  });

  it('[ALR] badge and alerts count open sessions with unread messages, unassigned or mine', async () => {
    const { chat } = harness;
    const before = await chat.badge();
    const dora = operator('dora');
    const free = await newChat(chat, 'free');
    const mine = await newChat(chat, 'mine');
    const closed = await newChat(chat, 'closed');
    await newChat(chat);
    await chat.assign(dora, mine.id);
    await chat.close(dora, closed.id);
    const after = await chat.badge();
    expect(after.unassigned_unread - before.unassigned_unread).toBe(1);
    expect(after.mine_unread['dora']).toBe(1);
    expect(after.waiting_count - before.waiting_count).toBe(2);
    const numbers = await chat.alerts(dora, null);
    expect(numbers).toMatchObject({
      mine_unread: 1,
      unread_count: numbers.unassigned_unread + 1,
      has_new_dialogs: true,
      has_my_updates: true,
    });
    expect(numbers.oldest_waiting_since).not.toBeNull();
    const now = new Date();
    expect(await chat.alerts(dora, now)).toMatchObject({
      has_new_dialogs: false,
      has_my_updates: false,
      mine_unread: 1,
    });
    await mine.says('more');
    expect(await chat.alerts(dora, now)).toMatchObject({ has_new_dialogs: false, has_my_updates: true });
    const scoped = operator('sonja', { scope: 'assigned' });
    const all = await chat.alerts(operator('erik'), null);
    expect((await chat.alerts(scoped, null)).waiting_count).toBeLessThan(all.waiting_count);
    await free.says('still here');
    expect((await chat.badge()).unassigned_unread).toBe(after.unassigned_unread);
  });

  it('[ACK] acks come in batches, are limited, never go back, and are in the inbox at once', async () => {
    const { chat, publisher } = harness;
    const { id, says } = await newChat(chat);
    const a = await says('a');
    const b = await says('b');
    const at = new Date().toISOString();
    const other = await newChat(chat, 'x');
    const ack = (sessionId: number, participant: string, lastId: number) => ({
      session_id: sessionId,
      participant,
      last_id: lastId,
      at,
    });
    await chat.acks({
      acks: [
        ack(id, 'client', b),
        ack(id, 'client', a),
        ack(id, 'staff:anna', a),
        ack(other.id, 'client', 2 ** 50),
        ack(2 ** 50, 'client', 3),
      ],
    });
    expect((await row(id)).client_last_seen_id).toBe(b);
    expect((await row(other.id)).client_last_seen_id).toBe((await row(other.id)).last_message?.id);
    const count = publisher.ephemerals.length;
    await chat.acks({ acks: [ack(id, 'client', a), ack(id, 'staff:anna', a)] });
    expect((await row(id)).client_last_seen_id).toBe(b);
    expect(publisher.ephemerals).toHaveLength(count);
    const { sessions } = await chat.catchup({ sessions: [{ id }], limit: 1 });
    expect(sessions[0]?.state).toEqual({
      client: { delivered_id: b, read_id: 0 },
      staff: { delivered_id: a, read_id: 0 },
      operators_online: 0,
    });
    await chat.acks({ acks: [] });
  });

  it('[INB] filters by status and assignee, searches contact, text and id, and respects the scope', async () => {
    const { chat } = harness;
    const word = `zeb%ra_postgres`;
    const free = await newChat(chat, `I saw a ${word.toUpperCase()} today`);
    const taken = await newChat(chat, `another ${word}`);
    await chat.assign(boris, taken.id);
    const closed = await newChat(chat, `third ${word}`);
    await chat.close(boris, closed.id);
    const ids = async (query: Partial<SessionListQuery>, actor = anna) =>
      (await list({ q: word, ...query }, actor)).sessions.map((session) => session.id);
    expect(await ids({})).toEqual([closed.id, taken.id, free.id]);
    expect(await ids({ status: 'new' })).toEqual([free.id]);
    expect(await ids({ status: 'new,active', sort: 'created' })).toEqual([taken.id, free.id]);
    expect(await ids({ assigned: 'none' })).toEqual([closed.id, free.id]);
    expect(await ids({ assigned: 'boris' })).toEqual([taken.id]);
    expect(await ids({ assigned: 'me' }, boris)).toEqual([taken.id]);
    expect(await ids({ assigned: 'me' })).toEqual([]);
    expect(await ids({}, operator('sonja', { scope: 'assigned' }))).toEqual([closed.id, free.id]);
    expect((await list({ q: 'zebXra' })).sessions).toEqual([]);
    expect((await list({ q: `#${free.id}` })).sessions.map((session) => session.id)).toContain(free.id);
    expect((await list({ q: 'VERA@example' })).sessions.length).toBeGreaterThan(2);
  });

  it('[INB] pages by key through all sessions in every order, whatever is written meanwhile', async () => {
    const waiting = new Set(
      (await list({ limit: 500 })).sessions
        .filter((session) => session.waiting_since !== null)
        .map((session) => session.id),
    );
    const all = (await list({ limit: 500 })).sessions.map((session) => session.id);
    for (const sort of ['waiting', 'activity', 'created'] as const) {
      const seen: number[] = [];
      for (let page: string | undefined; ; ) {
        const answer = await list({ sort, limit: 3, ...(page === undefined ? {} : { page }) });
        sessionListResponseSchema.parse(answer);
        seen.push(...answer.sessions.map((session) => session.id));
        if (answer.next_page === null) break;
        page = answer.next_page;
      }
      expect([...seen].sort()).toEqual([...all].sort());
      expect(new Set(seen).size).toBe(seen.length);
      if (sort === 'activity') expect(seen).toEqual(all);
      if (sort === 'created') expect(seen).toEqual([...all].sort((a, b) => b - a));
      if (sort === 'waiting') expect(new Set(seen.slice(0, waiting.size))).toEqual(waiting);
    }
    await expect(list({ page: 'bm90IG1pbmU' })).rejects.toMatchObject({ code: 'validation_failed' });
    const { next_page: foreign } = await list({ limit: 1, sort: 'created' });
    await expect(list({ page: foreign ?? '', sort: 'activity' })).rejects.toMatchObject({ code: 'validation_failed' });
  });

  it('[INB] operators become known by their tokens; presence comes from the gateways', async () => {
    const { chat } = harness;
    await chat.staffSeen(anna);
    await chat.staffSeen(boris);
    await chat.staffSeen(operator('anna', { name: 'Anna Neu' }));
    const find = async (id: string) => (await chat.operators()).operators.find((entry) => entry.id === id);
    expect(await find('anna')).toMatchObject({ name: 'Anna Neu', role: 'operator', presence: 'offline' });
    expect((await find('boris'))?.active_sessions).toBeGreaterThan(0);
    const presence = (gateway: string, ids: string[]) =>
      chat.catchup({
        sessions: [],
        limit: 1,
        presence: { gateway_id: gateway, operators: ids.map((id) => ({ id, name: id })) },
      });
    expect((await presence('g1', ['anna', 'boris', 'anna'])).operators_online).toBe(2);
    expect((await presence('g2', ['boris'])).operators_online).toBe(2);
    expect((await find('anna'))?.presence).toBe('online');
    expect((await presence('g1', [])).operators_online).toBe(1);
    expect((await find('anna'))?.presence).toBe('offline');
    expect(await chat.operatorsOnline()).toBe(1);
  });
});
