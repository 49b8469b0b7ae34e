import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anna, type Harness, newChat, resumeKey, Stage, text } from '../../test/harness.ts';
import { QuickReplies } from '../quick-replies/quick-replies.ts';
import { listCallbacks } from '../callbacks/callback-list.ts';

const stage = new Stage();
afterAll(() => stage.stop());

/** The longest possible message: four bytes for each character. */
const LONGEST = '😀'.repeat(10_000);
const PAGE_BYTES = 262_144;
const CALL_BYTES = 4 * 1024 * 1024;
const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Reads pages to the end; each is within the limit and has at least one row. */
async function follow<Row>(
  read: (last: Row | undefined) => Promise<{ rows: readonly Row[]; more: boolean }>,
): Promise<Row[]> {
  const all: Row[] = [];
  for (;;) {
    const { rows, more } = await read(all.at(-1));
    expect(bytes(rows)).toBeLessThanOrEqual(PAGE_BYTES + 4_096);
    if (more) expect(rows.length).toBeGreaterThan(0);
    all.push(...rows);
    if (!more) return all;
  }
}

describe('[ERR18] pages limited in bytes on postgres', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await stage.harness();
  });

  async function longChat(messages: number): Promise<Awaited<ReturnType<typeof newChat>>> {
    const chat = await newChat(harness.chat);
    for (let n = 0; n < messages; n += 1) await chat.says(LONGEST);
    return chat;
  }

  it('give all events of a session full of longest messages, a few at a time', async () => {
    const { id } = await longChat(20);
    const events = await follow<{ seq: number }>(async (last) => {
      const page = await harness.chat.events(anna, id, { afterSeq: last?.seq ?? 0, limit: 500 });
      return { rows: page.events, more: page.has_more };
    });
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 21 }, (_, n) => n + 1));
  });

  it('give its history in both directions', async () => {
    const { id } = await longChat(20);
    const older = await follow<{ id: number }>(async (last) => {
      const page = await harness.chat.history(anna, id, { ...(last && { beforeId: last.id }), limit: 500 });
      return { rows: page.messages.toReversed(), more: page.has_more };
    });
    const newer = await follow<{ id: number }>(async (last) => {
      const page = await harness.chat.history(anna, id, { afterId: last?.id ?? 0, limit: 500 });
      return { rows: page.messages, more: page.has_more };
    });
    expect(newer).toHaveLength(20);
    expect(older.toReversed()).toEqual(newer);
  });

  it('give notes, newest pages first', async () => {
    const { id } = await newChat(harness.chat);
    for (let n = 0; n < 12; n += 1) await harness.chat.addNote(anna, id, LONGEST);
    const notes = await follow<{ id: number }>(async (last) => {
      const page = await harness.chat.notes(anna, id, { beforeId: last?.id, limit: 500 });
      return { rows: page.notes.toReversed(), more: page.has_more };
    });
    expect(new Set(notes.map((note) => note.id)).size).toBe(12);
  });

  it('list sessions with long messages and attributes by what a list shows', async () => {
    const attributes = Object.fromEntries(Array.from({ length: 7 }, (_, n) => [`k${n}`, 'x'.repeat(1_000)]));
    for (let n = 0; n < 10; n += 1) {
      await harness.chat.createSession({
        resumeKey: resumeKey(),
        pageUrl: `https://shop.example/${'p'.repeat(2_000)}`,
        attributes,
        message: text(LONGEST),
      });
    }
    await harness.database.query(
      {
        name: 'many',
        text: `INSERT INTO chat_session (page_url) SELECT repeat('p', 2048) FROM generate_series(1, $1::int)`,
      },
      [300],
    );
    // No relay runs here, and the list waits a while for numbers.
    await harness.stamp();
    for (const sort of ['waiting', 'activity', 'created'] as const) {
      const seen = new Set<number>();
      let page: string | undefined;
      do {
        const answer = await harness.chat.listSessions(anna, { sort, limit: 500, ...(page && { page }) });
        expect(bytes(answer.sessions)).toBeLessThanOrEqual(PAGE_BYTES + 4_096);
        expect(JSON.stringify(answer)).not.toContain('"attributes"');
        for (const { id } of answer.sessions) {
          expect(seen.has(id)).toBe(false);
          seen.add(id);
        }
        page = answer.next_page ?? undefined;
      } while (page !== undefined);
      const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM chat_session`.execute(
        harness.database.kysely,
      );
      expect(seen.size).toBe(rows[0]?.count);
    }
    const [first] = (await harness.chat.listSessions(anna, { sort: 'waiting', limit: 1 })).sessions;
    expect(first?.last_message?.body.length).toBeLessThanOrEqual(1_000);
  });

  it('give quick replies, operators and callbacks page by page', async () => {
    const replies = new QuickReplies(harness.database);
    for (let n = 0; n < 40; n += 1)
      await replies.add(anna, { shortcut: `s${n}`, title: 't', text: '😀'.repeat(4_000) });
    const listed: string[] = [];
    let page: string | undefined;
    do {
      const answer = await replies.list(page);
      expect(bytes(answer)).toBeLessThanOrEqual(PAGE_BYTES + 4_096);
      listed.push(...answer.quick_replies.map((reply) => reply.shortcut));
      page = answer.next_page ?? undefined;
    } while (page !== undefined);
    expect(new Set(listed).size).toBe(40);

    await sql`INSERT INTO chat_operator (id, name, role)
      SELECT 'op' || n, CASE WHEN n % 3 > 0 THEN 'Anna ' || (n % 7) || repeat('n', 900) END, 'operator' FROM generate_series(1, 900) n`.execute(
      harness.database.kysely,
    );
    const operators: string[] = [];
    page = undefined;
    do {
      const answer = await harness.chat.operators(page);
      expect(bytes(answer)).toBeLessThanOrEqual(PAGE_BYTES + 4_096);
      operators.push(...answer.operators.map(({ id }) => id));
      page = answer.next_page ?? undefined;
    } while (page !== undefined);
    expect(operators.filter((id) => id.startsWith('op'))).toHaveLength(900);
    expect(new Set(operators).size).toBe(operators.length);

    await sql`INSERT INTO chat_callback (phone, comment, result, due_at)
      SELECT '+79990000000', repeat('ж', 2000), repeat('ж', 2000), now() FROM generate_series(1, 100)`.execute(
      harness.database.kysely,
    );
    let calls = 0;
    page = undefined;
    do {
      const answer = await listCallbacks(harness.database, anna, { limit: 500, ...(page && { page }) });
      expect(bytes(answer)).toBeLessThanOrEqual(PAGE_BYTES + 4_096);
      calls += answer.callbacks.length;
      page = answer.next_page ?? undefined;
    } while (page !== undefined);
    expect(calls).toBe(100);
  });

  it('[INT9] limit a catch-up response per session and in total, and give every session its turn', async () => {
    const few = await longChat(12);
    // 150 sessions with 40 KB each are 6 MB: more than one answer takes.
    await sql`WITH s AS (INSERT INTO chat_session (last_seq) SELECT 3 FROM generate_series(1, 150) RETURNING id)
      INSERT INTO chat_event (session_id, seq, type, data)
      SELECT s.id, n, 'site.event', jsonb_build_object('text', ${LONGEST}::text) FROM s, generate_series(1, 3) n`.execute(
      harness.database.kysely,
    );
    const { rows } = await sql<{ id: number }>`SELECT id FROM chat_session WHERE last_seq = 3 AND status = 'new'
      AND id >= (SELECT max(id) - 149 FROM chat_session)`.execute(harness.database.kysely);
    const cursors = new Map(rows.map(({ id }) => [id, 0]));
    cursors.set(few.id, 0);
    const ask = () => [...cursors].map(([id, after]) => ({ id, after_seq: after }));
    const one = await harness.chat.catchup({ sessions: [{ id: few.id, after_seq: 0 }], limit: 500 });
    expect(bytes(one.sessions)).toBeLessThanOrEqual(PAGE_BYTES + 4_096);
    expect(one.sessions[0]?.events.length).toBeGreaterThan(1);

    const first = await harness.chat.catchup({ sessions: ask(), limit: 500 });
    expect(bytes(first.sessions)).toBeLessThanOrEqual(CALL_BYTES + 262_144);
    // No session gets a second page while another has none.
    expect(Math.max(...first.sessions.map(({ events }) => events.length))).toBe(1);
    expect(first.sessions.every(({ events, has_more: more }) => events.length > 0 || more)).toBe(true);
    const small = await harness.chat.catchup({ sessions: ask(), limit: 500, max_bytes: 65_536 });
    const few40k = small.sessions.flatMap(({ events }) => events);
    expect(few40k.length).toBeGreaterThan(0);
    expect(bytes(few40k)).toBeLessThanOrEqual(65_536 + 4_096);

    for (let call = 0; cursors.size > 0; call += 1) {
      expect(call).toBeLessThan(20);
      const { sessions } = await harness.chat.catchup({ sessions: ask(), limit: 500 });
      for (const { id, events, has_more: more } of sessions) {
        for (const event of events) {
          expect(event.seq).toBe((cursors.get(id) ?? 0) + 1);
          cursors.set(id, event.seq);
        }
        if (!more) cursors.delete(id);
      }
    }
  });

  it('[INB7] read open sessions in their waiting order from an index', async () => {
    await sql`INSERT INTO chat_session (waiting_since) SELECT now() - n * interval '1 second' FROM generate_series(1, 3000) n`.execute(
      harness.database.kysely,
    );
    await sql`ANALYZE chat_session`.execute(harness.database.kysely);
    const { rows } = await sql<{ 'QUERY PLAN': string }>`EXPLAIN SELECT s.id FROM chat_session s
      WHERE s.status = ANY (ARRAY['new','active']) AND s.status <> 'closed'
        AND (COALESCE(s.waiting_since, 'infinity'::timestamptz), s.id) > (now() - interval '1 minute', 5)
      ORDER BY COALESCE(s.waiting_since, 'infinity'::timestamptz), s.id LIMIT 201`.execute(harness.database.kysely);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('chat_session_open_waiting');
    expect(plan).not.toContain('Sort');
  });
});
