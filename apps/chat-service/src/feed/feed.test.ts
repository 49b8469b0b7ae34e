import { readEpoch } from '@chat-realtime/database';
import {
  type CallbackStaff,
  catchupResponseSchema,
  feedResponseSchema,
  type StaffEvent,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, anna, boris, type Harness, newChat, operator, Stage, text } from '../../test/harness.ts';

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

describe('feed and catch-up on postgres', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await stage.harness();
  });

  const readAll = async (after?: string, actor = anna, limit = 7) => {
    const events: StaffEvent[] = [];
    await harness.stamp();
    for (let cursor = after; ; ) {
      const page = await harness.chat.feed(actor, { limit, ...(cursor === undefined ? {} : { after: cursor }) });
      feedResponseSchema.parse(page);
      events.push(...page.events);
      cursor = page.cursor;
      if (!page.has_more) return { events, cursor };
    }
  };
  const head = async () => (await readAll()).cursor;

  it('[FEED] an empty database has a position that everything follows', async () => {
    const empty = await harness.chat.feed(anna, { limit: 5 });
    expect(empty).toEqual({ events: [], cursor: '0', has_more: false });
    await newChat(harness.chat, 'hi');
    await harness.stamp();
    const { events } = await harness.chat.feed(anna, { after: '0', limit: 5 });
    expect(events.map((event) => [event.feed_seq, event.cursor])).toEqual([
      [1, '1'],
      [2, '2'],
    ]);
  });

  it('[FEED] holds events of all sessions and staff-only events, each with its position', async () => {
    const { chat } = harness;
    const start = await head();
    const { id } = await newChat(chat, 'hi');
    await chat.assign(anna, id);
    await chat.addNote(anna, id, 'note');
    await chat.commitWork((unit) => unit.appendStaffOnly({ type: 'chat.callback.staff', data: { ...CALLBACK } }));
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

  it('[FEED] a cursor of another database, or beyond the head, is answered with a request for a snapshot', async () => {
    const cursor = await head();
    const refused = (after: string) => harness.chat.feed(anna, { after, limit: 5 });
    await expect(refused(String(Number(cursor) + 1))).rejects.toMatchObject({ code: 'cursor_ahead' });
    await expect(refused('9007199254740991')).rejects.toMatchObject({ code: 'cursor_ahead' });
    // Version 0.1 issued such cursors.
    await expect(refused('7.1')).rejects.toMatchObject({ code: 'cursor_unknown' });
    expect((await harness.chat.feed(anna, { after: cursor, limit: 5 })).events).toEqual([]);
    const ahead = await harness.chat.catchup({
      sessions: [],
      limit: 1,
      feed: { after: String(Number(cursor) + 1), limit: 1 },
    });
    expect(ahead.feed).toEqual({ events: [], cursor, has_more: false, reset: 'cursor_ahead' });
  });

  it('[FEED] scope assigned reads unassigned and its own sessions, and the assignment that took one away', async () => {
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
      { type: 'chat.session.assigned', session_id: never.id, data: { assigned_user_id: 'boris' } },
    ]);
    expect(cursor).toBe(await head());
  });

  it('[INB] the feed after a list’s feed_cursor contains everything the list does not show', async () => {
    const { chat } = harness;
    const { id, says } = await newChat(chat, 'before');
    await harness.stamp();
    const { feed_cursor: cursor } = await chat.listSessions(anna, { sort: 'activity', limit: 5 });
    await says('after');
    expect((await readAll(cursor)).events.map((event) => [event.session_id, event.seq])).toEqual([[id, 3]]);
  });

  it('[EVT] feed, catch-up and events give identical bytes of a message', async () => {
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

  it('[INT5] one catch-up answers for many sessions, heads and gaps, and omits what does not exist', async () => {
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
    const withFeed = await chat.catchup({ sessions: [], limit: 1, feed: { limit: 1 } });
    expect(withFeed.badge).toEqual(await chat.badge());
    expect([withFeed.badge?.feed_seq, answer.badge]).toEqual([Number(withFeed.feed?.cursor), undefined]);
    expect(
      (await chat.catchup({ sessions: [{ id: chats[0].id, after_seq: 99 }], limit: 5 })).sessions[0],
    ).toMatchObject({ last_seq: 4, events: [], has_more: false });
  });

  it('[FEED5] a page is limited in bytes, and contains at least one event', async () => {
    const { chat } = harness;
    const { says } = await newChat(chat);
    const start = await head();
    for (let index = 0; index < 15; index += 1) await says('ю'.repeat(10_000));
    await harness.stamp();
    const sizes: number[] = [];
    for (let cursor = start, more = true; more; ) {
      const page = await chat.feed(anna, { after: cursor, limit: 500 });
      sizes.push(page.events.length);
      cursor = page.cursor;
      more = page.has_more;
    }
    // A little more than 20 KB each.
    expect(sizes).toEqual([12, 3]);
    const gateway = await chat.catchup({ sessions: [], limit: 500, feed: { after: start, limit: 500 } });
    expect([gateway.feed?.events.length, gateway.feed?.has_more]).toEqual([12, true]);
  });

  it('[FEED2] skips deleted events, and long stretches that the reader may not see', async () => {
    const { chat, database } = harness;
    const scoped = operator('sonja-far', { scope: 'own' });
    const start = await head();
    const gone = await newChat(chat, 'gone');
    const theirs = await newChat(chat, 'theirs');
    await sql`INSERT INTO feed (feed_seq, event_id) SELECT stamped + n, -n FROM feed_head, generate_series(1, 12000) n`.execute(
      database.kysely,
    );
    await sql`UPDATE feed_head SET stamped = stamped + 12000, published = stamped + 12000`.execute(database.kysely);
    await harness.stamp();
    await sql`DELETE FROM chat_event WHERE session_id = ${gone.id}`.execute(database.kysely);
    await chat.staffSeen(scoped);
    await chat.assign(admin, theirs.id, 'sonja-far');
    const { events, cursor } = await readAll(start);
    expect(events.map((event) => event.session_id)).toEqual(Array(4).fill(theirs.id));
    expect(Number(cursor) - Number(start)).toBe(12_006);
    expect((await readAll(start, scoped)).events.map((event) => event.seq)).toEqual([1, 2, 3, 4]);
  });

  it('[FEED4] rarely checks for new numbers while none are assigned', async () => {
    const counting = await stage.harness();
    let asked = 0;
    const query = counting.database.query.bind(counting.database);
    Object.assign(counting.database, {
      query: (...args: Parameters<typeof query>) => {
        if (args[0].name === 'chat-outbox-oldest') asked += 1;
        return query(...args);
      },
    });
    await newChat(counting.chat, 'hi');
    expect((await counting.chat.feed(anna, { limit: 5 })).events).toEqual([]);
    // 1.5 s, with 4 ms between the first two looks and 32 ms between the last.
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThan(60);
  });

  it('[INT] the number of statements does not grow with the number of sessions', async () => {
    const counting = await stage.harness();
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
