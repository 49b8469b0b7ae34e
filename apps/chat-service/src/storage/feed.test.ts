import { readEpoch } from '@chat-realtime/database';
import {
  type CallbackStaff,
  type CatchupResponse,
  catchupResponseSchema,
  feedResponseSchema,
  type StaffEvent,
} from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, anna, boris, type Harness, KINDS, newChat, operator, Stage, text } from '../../test/harness.ts';

const NOW = new Date().toISOString();
const CALLBACK: CallbackStaff = {
  id: 1,
  session_id: null,
  status: 'new',
  phone: '+4930123456',
  name: null,
  comment: null,
  preferred_at: null,
  due_at: NOW,
  assigned_user_id: null,
  result: null,
  created_at: NOW,
  updated_at: NOW,
};

const stage = new Stage();
afterAll(() => stage.stop());

describe.each(KINDS)('feed and catch-up on %s', (kind) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await stage.harness(kind);
  });

  const readAll = async (after?: string, actor = anna, limit = 7) => {
    const events: StaffEvent[] = [];
    for (let cursor = after; ; ) {
      const page = await harness.chat.feed(actor, { limit, ...(cursor === undefined ? {} : { after: cursor }) });
      feedResponseSchema.parse(page);
      events.push(...page.events);
      cursor = page.cursor;
      if (!page.has_more) return { events, cursor };
    }
  };
  const head = async () => (await readAll()).cursor;

  it('[FEED] an empty database has a position from which everything follows', async () => {
    const empty = await harness.chat.feed(anna, { limit: 5 });
    expect(empty).toEqual({ events: [], cursor: '0.0', has_more: false });
    await newChat(harness.chat, 'hi');
    expect((await harness.chat.feed(anna, { after: '0.0', limit: 5 })).events).toHaveLength(2);
  });

  it('[FEED] holds events of all sessions and staff-only facts, each with its position', async () => {
    const { chat } = harness;
    const start = await head();
    const { id } = await newChat(chat, 'hi');
    await chat.assign(anna, id);
    await chat.addNote(anna, id, 'note');
    await chat.commitFact((unit) => unit.appendFact({ type: 'chat.callback.staff', data: { ...CALLBACK } }));
    const { events, cursor } = await readAll(start, anna, 2);
    expect(events.map((event) => [event.type, event.session_id, event.seq])).toEqual([
      ['chat.session.created', id, 1],
      ['chat.message.client', id, 2],
      ['chat.session.assigned', id, 3],
      ['chat.session.status', id, 4],
      ['chat.note', id, null],
      ['chat.callback.staff', null, null],
    ]);
    expect(events[0]?.data).toMatchObject({ contact: { name: 'Vera', email: 'vera@example.org', phone: null } });
    expect(events[4]).toMatchObject({
      data: { body: 'note', author_id: 'anna' },
      subscribers: { session_id: id, assigned_user_id: 'anna' },
    });
    expect(events.at(-1)?.cursor).toBe(cursor);
    expect((await readAll(events[1]?.cursor)).events.map((event) => event.seq)).toEqual([3, 4, null, null]);
  });

  it('[FEED] a cursor of another database, or from ahead, asks for a snapshot', async () => {
    const cursor = await head();
    const [xid = '0', id = '0'] = cursor.split('.');
    const refused = (after: string) => harness.chat.feed(anna, { after, limit: 5 });
    await expect(refused(`${BigInt(xid) + 1000n}.${id}`)).rejects.toMatchObject({ code: 'cursor_ahead' });
    await expect(refused(`${xid}.${Number(id) + 5}`)).rejects.toMatchObject({ code: 'cursor_ahead' });
    await expect(refused('99999999999999999999.1')).rejects.toMatchObject({ code: 'cursor_ahead' });
    await expect(refused('1.9999999999999999')).rejects.toMatchObject({ code: 'cursor_ahead' });
    await expect(refused('7.1')).rejects.toMatchObject({ code: 'cursor_unknown' });
    const ahead = await harness.chat.catchup({
      sessions: [],
      limit: 1,
      feed: { after: `${BigInt(xid) + 1000n}.1`, limit: 1 },
    });
    expect(ahead.feed).toEqual({ events: [], cursor, has_more: false, reset: 'cursor_ahead' });
  });

  it('[FEED] scope assigned reads unassigned and own sessions, and how it lost one', async () => {
    const { chat } = harness;
    const scoped = operator('sonja', { scope: 'assigned' });
    for (const one of [scoped, boris]) await chat.staffSeen(one);
    const start = await head();
    const free = await newChat(chat, 'free');
    const hers = await newChat(chat, 'hers');
    const lost = await newChat(chat, 'lost');
    const never = await newChat(chat, 'never');
    await chat.assign(admin, hers.id, 'sonja');
    await chat.assign(admin, lost.id, 'sonja');
    await chat.assign(admin, lost.id, 'boris');
    await chat.postMessage(boris, lost.id, text('secret'));
    await chat.assign(boris, never.id);
    const { events, cursor } = await readAll(start, scoped, 2);
    const own = events.filter((event) => event.session_id === hers.id || event.session_id === free.id);
    expect(own.map((event) => event.seq)).toEqual([1, 2, 1, 2, 3, 4]);
    const others = events.filter((event) => !own.includes(event));
    expect(others).toMatchObject([
      { type: 'chat.session.assigned', session_id: lost.id, data: { assigned_user_id: 'boris' } },
    ]);
    expect(cursor).toBe(await head());
  });

  it('[INB] the feed after a list’s feed_cursor has everything the list does not show', async () => {
    const { chat } = harness;
    const { id, says } = await newChat(chat, 'before');
    const { feed_cursor: cursor } = await chat.listSessions(anna, { sort: 'activity', limit: 5 });
    await says('after');
    expect((await readAll(cursor)).events.map((event) => [event.session_id, event.seq])).toEqual([[id, 3]]);
  });

  it('[EVT] feed, catch-up and events give the same bytes of a message', async () => {
    const { chat } = harness;
    const start = await head();
    const { id, customer } = await newChat(chat, 'same');
    await chat.postMessage(anna, id, text('bytes'));
    const feed = (await readAll(start)).events.slice(1).map((event) => JSON.stringify(event.data));
    const { events } = await chat.events(customer, id, { afterSeq: 1, limit: 5 });
    const { sessions } = await chat.catchup({ sessions: [{ id, after_seq: 1 }], limit: 5 });
    expect(events.map((event) => JSON.stringify(event.data))).toEqual(feed);
    expect(JSON.stringify(sessions[0]?.events)).toBe(JSON.stringify(events));
  });

  it('[INT] one catch-up answers many sessions, heads and gaps, and leaves out what does not exist', async () => {
    const { chat } = harness;
    const chats = [await newChat(chat, 'a'), await newChat(chat, 'b'), await newChat(chat, 'c')] as const;
    await chats[0].says('a2');
    await chats[0].says('a3');
    await chat.assign(boris, chats[1].id);
    await chat.revoke(anna, chats[2].id);
    const answer = await chat.catchup({
      sessions: [
        { id: chats[0].id, after_seq: 1 },
        { id: chats[1].id },
        { id: chats[2].id, after_seq: 2 },
        { id: 888_888, after_seq: 0 },
      ],
      limit: 2,
      revocations_after: 0,
    });
    catchupResponseSchema.parse(answer);
    const summary = answer.sessions.map((one) => [
      one.id,
      one.last_seq,
      one.events.map((event) => event.seq),
      one.has_more,
      one.assigned_user_id,
    ]);
    expect(summary.sort()).toEqual(
      [
        [chats[0].id, 4, [2, 3], true, null],
        [chats[1].id, 4, [], false, 'boris'],
        [chats[2].id, 2, [], false, null],
      ].sort(),
    );
    const revoked = answer.sessions.find((one) => one.id === chats[2].id);
    expect(revoked?.revoked_at).toBeGreaterThan(1_700_000_000);
    expect(answer.revocations?.at(-1)).toMatchObject({ kind: 'session', subject: String(chats[2].id) });
    expect(answer.epoch).toBe(await readEpoch(harness.database));
    expect(answer.badge).toEqual(await chat.badge());
    expect(
      (await chat.catchup({ sessions: [{ id: chats[0].id, after_seq: 99 }], limit: 5 })).sessions[0],
    ).toMatchObject({ last_seq: 4, events: [], has_more: false });
  });

  it('[INT5] bases tell where each session stood at a feed position', async () => {
    const { chat } = harness;
    const one = await newChat(chat, 'a');
    const at = await head();
    await one.says('b');
    const two = await newChat(chat);
    const bases = async (position: string): Promise<CatchupResponse['bases']> =>
      (await chat.catchup({ sessions: [], limit: 1, bases: { at: position, sessions: [one.id, two.id] } })).bases;
    expect(await bases(at)).toEqual([
      { id: one.id, seq: 2 },
      { id: two.id, seq: 0 },
    ]);
    expect(await bases(await head())).toEqual([
      { id: one.id, seq: 3 },
      { id: two.id, seq: 1 },
    ]);
  });

  it('[INT] the number of statements does not grow with the sessions', async () => {
    const counting = await stage.harness(kind);
    let statements = 0;
    const query = counting.database.query.bind(counting.database);
    Object.assign(counting.database, {
      query: (...args: Parameters<typeof query>) => {
        statements += 1;
        return query(...args);
      },
    });
    const executor = counting.database.kysely.getExecutor();
    const execute = executor.executeQuery.bind(executor);
    Object.assign(executor, {
      executeQuery: (...args: Parameters<typeof execute>) => {
        statements += 1;
        return execute(...args);
      },
    });
    const own: number[] = [];
    for (let n = 0; n < 40; n += 1) own.push((await newChat(counting.chat, 'x')).id);
    const cost = async (count: number) => {
      const before = statements;
      const answer = await counting.chat.catchup({
        sessions: own.slice(0, count).map((id) => ({ id, after_seq: 0 })),
        limit: 10,
      });
      expect(answer.sessions.flatMap((one) => one.events)).toHaveLength(count * 2);
      return statements - before;
    };
    const one = await cost(1);
    expect(one).toBeGreaterThan(3);
    expect(await cost(40)).toBe(one);
  });
});
