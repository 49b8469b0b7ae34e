import { setTimeout as sleep } from 'node:timers/promises';
import { ChatError, type CursorReset, type FeedOwners, feedSeqOf, type StaffEvent } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../actors.ts';
import type { FeedPage } from '../storage/session-record.ts';
import { type EventRow, renderStaffEvent } from '../storage/render.ts';
import type { StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { eventColumns } from '../storage/event-rows.ts';
import { type BoundedRows, boundedRows, eventBytes } from '../storage/page-bytes.ts';
import { visibleEvents } from '../storage/visibility.ts';

/** Feed numbers that one page scans at most, so that a page for a narrow scope ends in time. */
const PAGE_SPAN = 10_000;

/**
 * A leader stamps within milliseconds of the commit, whatever RabbitMQ does, and within a second on an overloaded
 * machine. After this long there is no leader.
 */
const STAMP_WAIT_MS = 1_500;
const STAMP_LOOK_MS = 4;
/** Each wait is twice the one before, up to this: without a leader every list that is opened would ask 250 times a second. */
const STAMP_LOOK_MAX_MS = 32;

const NEWEST_WAITING = { name: 'chat-outbox-newest', text: 'SELECT max(event_id) AS id FROM outbox' } as const;
const OLDEST_WAITING = { name: 'chat-outbox-oldest', text: 'SELECT min(event_id) AS id FROM outbox' } as const;
const HEAD = { name: 'chat-feed-head', text: 'SELECT stamped FROM feed_head' } as const;

/** A row with the current assignees of its session and callback. */
type FeedRow = EventRow & {
  readonly feed_seq: number;
  readonly session_owner: string | null;
  readonly session_seq: number | null;
  readonly callback_id: number | null;
  readonly callback_owner: string | null;
};

type CursorVerdict =
  | { readonly ok: true; readonly after: number }
  | { readonly ok: false; readonly reset: CursorReset };

/** Whether the feed, whose last number is `head`, can go on after a cursor. The text has passed `feedCursorSchema`. */
function judgeCursor(cursor: string, head: number): CursorVerdict {
  const after = feedSeqOf(cursor);
  // A cursor of version 0.1 named a position in a different order.
  if (after === undefined) return { ok: false, reset: 'cursor_unknown' };
  return after > head ? { ok: false, reset: 'cursor_ahead' } : { ok: true, after };
}

function resetError(reset: CursorReset): ChatError {
  return new ChatError(reset, 'this cursor is not of this database as it is now: take a snapshot');
}

/** The newest number. Numbers are assigned under a lock and become visible in order, so nothing up to it is missing. */
export async function feedHead(context: StorageContext): Promise<number> {
  const [row] = await context.database.query<{ stamped: number }>(HEAD);
  return row?.stamped ?? 0;
}

/**
 * Waits until the relay leader has numbered everything committed so far, so that callers find what they have just
 * written. Bounded, in case there is no leader.
 */
export async function untilStamped(context: StorageContext): Promise<void> {
  const deadline = performance.now() + STAMP_WAIT_MS;
  const [newest] = await context.database.query<{ id: number | null }>(NEWEST_WAITING);
  if (newest === undefined || newest.id === null) return;
  let waitMs = STAMP_LOOK_MS;
  for (let waits = true; waits && performance.now() < deadline; ) {
    await sleep(waitMs);
    waitMs = Math.min(2 * waitMs, STAMP_LOOK_MAX_MS);
    const [oldest] = await context.database.query<{ id: number | null }>(OLDEST_WAITING);
    waits = oldest !== undefined && oldest.id !== null && oldest.id <= newest.id;
  }
}

function readPage(
  context: StorageContext,
  after: number,
  limit: number,
  viewer: StaffActor | null,
): Promise<BoundedRows<FeedRow>> {
  return boundedRows<FeedRow>(context.database.kysely, {
    rows: sql`SELECT f.feed_seq, ${sql.raw(eventColumns('e'))}, s.assigned_user_id AS session_owner, s.last_seq AS session_seq,
        c.id AS callback_id, c.assigned_user_id AS callback_owner
      FROM feed f JOIN chat_event e ON e.id = f.event_id
      LEFT JOIN chat_session s ON s.id = e.session_id
      LEFT JOIN chat_callback c ON e.type = 'chat.callback.staff' AND c.id = (e.data ->> 'id')::bigint
      WHERE f.feed_seq > ${after}::bigint AND f.feed_seq <= ${after + PAGE_SPAN}::bigint
        AND ${viewer === null ? sql`true` : visibleEvents(viewer)}
      ORDER BY f.feed_seq LIMIT ${limit + 1}::bigint`,
    bytes: sql.raw(eventBytes('r')),
    order: sql`r.feed_seq`,
    limit,
  });
}

function ownersOf(rows: readonly FeedRow[]): FeedOwners {
  const sessions = new Map<number, FeedOwners['sessions'][number]>();
  const callbacks = new Map<number, FeedOwners['callbacks'][number]>();
  for (const row of rows) {
    if (row.session_id !== null)
      sessions.set(row.session_id, {
        id: row.session_id,
        assigned_user_id: row.session_owner,
        last_seq: row.session_seq ?? 0,
      });
    if (row.callback_id !== null)
      callbacks.set(row.callback_id, { id: row.callback_id, assigned_user_id: row.callback_owner });
  }
  return { sessions: [...sessions.values()], callbacks: [...callbacks.values()] };
}

export type FeedRead =
  | {
      readonly ok: true;
      readonly events: StaffEvent[];
      readonly owners: FeedOwners;
      /** Everything at or before it that the viewer may see has been read. */
      readonly cursor: number;
      readonly hasMore: boolean;
    }
  | { readonly ok: false; readonly reset: CursorReset; readonly head: number };

/** `viewer`: only the events they may see. Null for a gateway, which filters per connection. */
export async function readFeed(
  context: StorageContext,
  cursor: string,
  limit: number,
  viewer: StaffActor | null,
): Promise<FeedRead> {
  const head = await feedHead(context);
  const verdict = judgeCursor(cursor, head);
  if (!verdict.ok) return { ok: false, reset: verdict.reset, head };
  const { after } = verdict;
  if (after === head) return { ok: true, events: [], owners: ownersOf([]), cursor: head, hasMore: false };
  const { rows: page, more } = await readPage(context, after, limit, viewer);
  const last = page.at(-1)?.feed_seq ?? after;
  // A page that was not cut has been read to its end: events after its last row are not for this viewer.
  const end = more ? last : Math.max(last, Math.min(after + PAGE_SPAN, head));
  const events = page.map((row) => renderStaffEvent(row, context.links));
  return { ok: true, events, owners: ownersOf(page), cursor: end, hasMore: end < head };
}

export async function feed(
  context: StorageContext,
  actor: StaffActor,
  page: { after?: string; limit: number },
): Promise<FeedPage> {
  await untilStamped(context);
  const read = await translated(() => readFeed(context, page.after ?? '0', page.limit, actor));
  if (!read.ok) throw resetError(read.reset);
  return { events: read.events, cursor: String(read.cursor), has_more: read.hasMore };
}

/** Seconds for which the oldest committed event has been waiting for its number. */
export async function feedLagSeconds(context: StorageContext): Promise<number> {
  const result = await sql<{ lag: number | null }>`
    SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS lag FROM outbox`.execute(
    context.database.kysely,
  );
  return Math.max(0, result.rows[0]?.lag ?? 0);
}
