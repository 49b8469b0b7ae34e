import { randomUUID } from 'node:crypto';
import { ChatError, type StaffEvent } from '@chat-realtime/protocol';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UseCases } from '../../test/use-cases.ts';
import {
  admin,
  anna,
  boris,
  type Chat,
  type Harness,
  newChat,
  operator,
  Stage,
  text,
  untilAvailable,
} from '../../test/harness.ts';

/** One connection cannot be concurrent with itself, so these run on PostgreSQL alone. */
const stage = new Stage();
let harness: Harness;
beforeAll(async () => {
  harness = await stage.harness();
});
afterAll(() => stage.stop());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const ignoreRollback = (error: unknown) => {
  if (!(error instanceof ChatError) || error.message !== 'rolled back on purpose') throw error;
};
const key = (event: StaffEvent) => (event.seq === null ? `feed:${event.feed_id}` : `${event.session_id}:${event.seq}`);

/** Reads the feed as fast as it can until `done`, then to its end; keeps each event as often as it was returned. */
async function follow(chat: UseCases, after: string, done: () => boolean): Promise<StaffEvent[]> {
  const events: StaffEvent[] = [];
  for (let cursor = after, last = false; ; ) {
    last = done();
    const page = await chat.feed(admin, { after: cursor, limit: 20 });
    events.push(...page.events);
    cursor = page.cursor;
    if (last && !page.has_more) return events;
    await pause(Math.random() * 3);
  }
}

/** `unread_count` by its definition, computed from events and mark. */
async function unreadByDefinition(of: Harness): Promise<{ id: number; stored: number; counted: number }[]> {
  const result = await sql<{ id: number; stored: number; counted: number }>`
    SELECT s.id, s.client_msgs - s.team_client_msgs AS stored,
      (SELECT count(*) FROM chat_event e WHERE e.session_id = s.id AND e.type = 'chat.message' AND e.sender_type = 'client' AND e.id > s.team_read_id) AS counted
    FROM chat_session s`.execute(of.database.kysely);
  return result.rows;
}

describe('concurrency on PostgreSQL', () => {
  it('[FEED4] the feed has no gap and no repeat while many writers commit out of order or roll back, and two relays number it', async () => {
    const { chat, database } = harness;
    const chats = await Promise.all(Array.from({ length: 12 }, () => newChat(chat)));
    await harness.stamp();
    const start = (await chat.listSessions(admin, { sort: 'activity', limit: 1 })).feed_cursor;
    let writing = true;
    let stamped = false;
    const slowCommits = async (index: number) => {
      // Transactions that take their ids early and commit late: an id cursor would lose their events.
      for (let n = 0; n < 12; n += 1) {
        await chat
          .commit(chats[index]!.id, async (unit) => {
            await unit.appendStaffOnly({
              type: 'chat.note',
              authorId: 'anna',
              authorName: null,
              body: `slow ${index}.${n}`,
            });
            await unit.append({ type: 'chat.callback', data: { id: 1, status: 'new', preferred_at: null } }, 'anna');
            await sql`SELECT pg_sleep(${Math.random() * 0.05})`.execute(unit.trx);
            if (n % 3 === 2) throw new ChatError('validation_failed', 'rolled back on purpose');
          })
          .catch(ignoreRollback);
      }
    };
    const fast = async (one: Chat) => {
      for (let n = 0; n < 80; n += 1) {
        if (n % 8 === 3) await chat.postMessage(anna, one.id, text(`answer ${n}`));
        else await one.says(`m${n}`);
      }
    };
    // Two at once, as when one leader has not yet noticed that another has taken over; some are interrupted.
    const stamper = async () => {
      while (writing) {
        const count = 1 + Math.floor(Math.random() * 30);
        await database.kysely
          .transaction()
          .execute(async (trx) => {
            await sql`SELECT chat_stamp_feed(${count}::integer)`.execute(trx);
            if (Math.random() < 0.2) throw new ChatError('validation_failed', 'rolled back on purpose');
          })
          .catch(ignoreRollback);
        await pause(Math.random() * 4);
      }
    };
    const stampers = [stamper(), stamper()];
    const readers = [follow(chat, start, () => stamped), follow(chat, start, () => stamped)];
    const unread: number[] = [];
    const watch = (async () => {
      while (writing) {
        for (const row of await unreadByDefinition(harness)) if (row.stored !== row.counted) unread.push(row.id);
        await pause(5);
      }
    })();
    await Promise.all([...chats.map(fast), ...[0, 1, 2].map(slowCommits)]);
    writing = false;
    await Promise.all([watch, ...stampers]);
    await harness.stamp();
    stamped = true;
    expect(unread).toEqual([]);

    const stored = await database.kysely
      .selectFrom('chat_event')
      .select(['id', 'session_id', 'seq', 'xid'])
      .where(
        'session_id',
        'in',
        chats.map((one) => one.id),
      )
      .orderBy('id')
      .execute();
    const expected = stored
      .filter((row) => row.seq === null || row.seq > 1)
      .map((row) => (row.seq === null ? `feed:${row.id}` : `${row.session_id}:${row.seq}`));
    for (const seen of await Promise.all(readers)) {
      const keys = seen.map(key);
      expect(new Set(keys).size).toBe(keys.length);
      expect(new Set(keys)).toEqual(new Set(expected));
      const numbers = seen.map((event) => event.feed_seq ?? 0);
      expect(numbers).toEqual(numbers.map((_, index) => Number(start) + index + 1));
      for (const one of chats) {
        const own = seen.flatMap(({ session_id: id, seq }) => (id === one.id && seq !== null ? [seq] : []));
        expect(own).toEqual(own.toSorted((left, right) => left - right));
      }
    }
    for (const one of chats) {
      const own = stored.filter((row) => row.session_id === one.id && row.seq !== null);
      expect(own.map((row) => row.seq)).toEqual(own.map((_, index) => index + 1));
      const xids = own.map((row) => BigInt(row.xid));
      expect(xids.every((xid, index) => index === 0 || xids[index - 1]! <= xid)).toBe(true);
    }
  });

  it('[ASG] a claim is won once, and every other operator learns the winner', async () => {
    const { chat } = harness;
    const racers = Array.from({ length: 8 }, (_, n) => operator(`racer${n}`));
    for (let round = 0; round < 10; round += 1) {
      const { id } = await newChat(chat, 'who takes me');
      const results = await Promise.allSettled(racers.map((racer) => untilAvailable(() => chat.assign(racer, id))));
      const winners = results.flatMap((result) =>
        result.status === 'fulfilled' ? [result.value.assigned_user_id] : [],
      );
      expect(winners).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'fulfilled') continue;
        expect(result.reason).toMatchObject({ code: 'already_assigned', details: { assigned_user_id: winners[0] } });
      }
      const { events } = await chat.events(admin, id, { afterSeq: 0, limit: 20 });
      expect(events.filter((event) => event.type === 'chat.session.assigned')).toHaveLength(1);
    }
  });

  it('[MSG] concurrent retries store a message once, and all get it', async () => {
    const { chat } = harness;
    const one = await newChat(chat);
    for (let round = 0; round < 10; round += 1) {
      const post = text(`round ${round}`);
      const answers = await Promise.all(Array.from({ length: 6 }, () => chat.postMessage(one.customer, one.id, post)));
      expect(new Set(answers.map((answer) => answer.message.id)).size).toBe(1);
      expect(answers.filter((answer) => answer.created)).toHaveLength(1);
    }
    const closed = await newChat(chat);
    await chat.close(anna, closed.id);
    const post = text('reopen once');
    await Promise.all(Array.from({ length: 6 }, () => chat.postMessage(closed.customer, closed.id, post)));
    const { events } = await chat.events(admin, closed.id, { afterSeq: 0, limit: 20 });
    expect(events.map((event) => event.type)).toEqual([
      'chat.session.created',
      'chat.session.status',
      'chat.session.status',
      'chat.message',
    ]);
  });

  it('[MSG] of two operators with the same expected_seq one is stopped', async () => {
    const { chat } = harness;
    for (let round = 0; round < 10; round += 1) {
      const { id } = await newChat(chat, 'hi');
      const results = await Promise.allSettled(
        [anna, boris].map((actor) => chat.postMessage(actor, id, { ...text('answer'), expectedSeq: 2 })),
      );
      const refused = results.flatMap((result) =>
        result.status === 'rejected' && result.reason instanceof ChatError ? [result.reason.code] : [],
      );
      expect(refused).toEqual(['stale']);
    }
  });

  it('[RD] any mix of concurrent writers keeps seq dense, marks monotonic and unread exact (seeded)', async () => {
    const { chat } = harness;
    const step = fc.record({
      who: fc.constantFrom('client', 'anna', 'boris'),
      what: fc.constantFrom('say', 'say', 'say', 'read', 'assign', 'unassign', 'close', 'reopen', 'ack', 'note'),
      at: fc.nat({ max: 40 }),
    });
    const run = async (one: Chat, { who, what, at }: { who: string; what: string; at: number }) => {
      const staff = who === 'boris' ? boris : anna;
      const actor = who === 'client' ? one.customer : staff;
      const session = await chat.findSession(one.id);
      const lastId = Math.max(0, (session?.lastMessageId ?? 0) - at);
      const calls: Record<string, () => Promise<unknown>> = {
        say: () => chat.postMessage(actor, one.id, { body: what, clientMessageId: randomUUID() }),
        read: () => chat.markRead(actor, one.id, lastId),
        assign: () => chat.assign(staff, one.id),
        unassign: () => chat.unassign(staff, one.id),
        close: () => chat.close(staff, one.id),
        reopen: () => chat.reopen(staff, one.id),
        ack: () =>
          chat.acks({
            acks: [
              { session_id: one.id, participant: 'client', last_id: Math.max(1, lastId), at: new Date().toISOString() },
            ],
          }),
        note: () => chat.addNote(staff, one.id, 'n'),
      };
      const [result] = await Promise.allSettled([calls[what]?.()]);
      if (result?.status === 'rejected' && !(result.reason instanceof ChatError && result.reason.status === 409))
        throw result.reason;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const one = await newChat(chat, 'start');
        let mark = 0;
        let delivered = 0;
        let version = 0;
        let running = true;
        const watch = (async () => {
          while (running) {
            const { sessions } = await chat.catchup({ sessions: [{ id: one.id, after_seq: 0 }], limit: 500 });
            const [now] = sessions;
            expect(now?.events.map((event) => event.seq)).toEqual(now?.events.map((_, index) => index + 1));
            expect(now?.state?.staff.read_id).toBeGreaterThanOrEqual(mark);
            expect(now?.state?.client.delivered_id).toBeGreaterThanOrEqual(delivered);
            mark = now?.state?.staff.read_id ?? 0;
            delivered = now?.state?.client.delivered_id ?? 0;
            const session = await chat.findSession(one.id);
            expect(session?.version).toBeGreaterThanOrEqual(version);
            version = session?.version ?? 0;
          }
        })();
        const lanes = [0, 1, 2, 3].map(async (lane) => {
          for (const [index, each] of steps.entries()) if (index % 4 === lane) await run(one, each);
        });
        await Promise.all(lanes);
        running = false;
        await watch;
        const rows = (await unreadByDefinition(harness)).filter((row) => row.id === one.id);
        expect(rows[0]?.stored).toBe(rows[0]?.counted);
        const row = await chat.findSession(one.id);
        const assigned = row?.assignedUserId ?? null;
        if (row?.status === 'new') expect(assigned).toBeNull();
        if (row?.status === 'active') expect(assigned).not.toBeNull();
      }),
      { numRuns: 25, seed: 20_261_123 },
    );
  }, 120_000);
});
