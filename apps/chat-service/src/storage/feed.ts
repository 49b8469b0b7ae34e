import type { FeedOwners, StaffEvent } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../domain/actors.ts';
import {
  comparePositions,
  type CursorReset,
  FEED_START,
  type FeedPosition,
  formatCursor,
  laterPosition,
  parseCursor,
  resetError,
} from '../domain/feed-cursor.ts';
import type { FeedPage } from '../domain/operation-types.ts';
import { type EventRow, renderStaffEvent } from '../domain/render.ts';
import type { StorageContext } from './context.ts';
import { translated } from './errors.ts';
import { eventColumns } from './event-rows.ts';
import { visibleEvents } from './visibility.ts';

/**
 * Everything below the oldest transaction still running: no row can appear before it any more, so a reader who has
 * come this far has missed nothing.
 */
const HEAD = {
  name: 'chat-feed-head',
  text: `SELECT xid, id, EXISTS (SELECT 1 FROM chat_event e WHERE e.id = $2::bigint AND e.xid = $1::xid8) AS known
    FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin) snapshot
    LEFT JOIN LATERAL (SELECT e.xid, e.id FROM chat_event e WHERE e.xid < snapshot.xmin ORDER BY e.xid DESC, e.id DESC LIMIT 1) head ON true`,
} as const;
/** A row with whose its session and its callback are now. */
type FeedRow = EventRow & {
  readonly session_owner: string | null;
  readonly session_seq: number | null;
  readonly callback_id: number | null;
  readonly callback_owner: string | null;
};

async function readPage(
  context: StorageContext,
  cursor: FeedPosition,
  limit: number,
  viewer: StaffActor | null,
): Promise<FeedRow[]> {
  const result = await sql<FeedRow>`
    SELECT ${sql.raw(eventColumns('e'))}, s.assigned_user_id AS session_owner, s.last_seq AS session_seq, c.id AS callback_id,
      c.assigned_user_id AS callback_owner
    FROM chat_event e LEFT JOIN chat_session s ON s.id = e.session_id
    LEFT JOIN chat_callback c ON e.type = 'chat.callback.staff' AND c.id = (e.data ->> 'id')::bigint
    WHERE (e.xid, e.id) > (${cursor.xid}::xid8, ${cursor.id}::bigint) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
      AND ${viewer === null ? sql`true` : visibleEvents(viewer)}
    ORDER BY e.xid, e.id LIMIT ${limit}::bigint`.execute(context.database.kysely);
  return result.rows;
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

interface HeadRow {
  xid: string | null;
  id: number | null;
  known: boolean;
}

export async function feedHead(
  context: StorageContext,
  cursor: FeedPosition = FEED_START,
): Promise<{ head: FeedPosition; known: boolean }> {
  const [row] = await context.database.query<HeadRow>(HEAD, [cursor.xid, cursor.id]);
  const head = row === undefined || row.xid === null || row.id === null ? FEED_START : { xid: row.xid, id: row.id };
  return { head, known: row?.known === true };
}

export type FeedRead =
  | {
      readonly ok: true;
      readonly events: StaffEvent[];
      readonly owners: FeedOwners;
      readonly cursor: FeedPosition;
      readonly hasMore: boolean;
    }
  | { readonly ok: false; readonly reset: CursorReset; readonly head: FeedPosition };

function judge(cursor: FeedPosition | undefined, head: FeedPosition, known: boolean): CursorReset | undefined {
  if (cursor === undefined) return 'cursor_ahead';
  if (comparePositions(cursor, FEED_START) === 0) return undefined;
  if (comparePositions(cursor, head) > 0) return 'cursor_ahead';
  return known ? undefined : 'cursor_unknown';
}

/** `viewer`: only what they may see; null for a gateway, which judges for each of its connections. */
export async function readFeed(
  context: StorageContext,
  after: string,
  limit: number,
  viewer: StaffActor | null,
): Promise<FeedRead> {
  const cursor = parseCursor(after);
  const { head, known } = await feedHead(context, cursor);
  const reset = judge(cursor, head, known);
  if (cursor === undefined || reset !== undefined) return { ok: false, reset: reset ?? 'cursor_ahead', head };
  if (comparePositions(cursor, head) === 0)
    return { ok: true, events: [], owners: ownersOf([]), cursor, hasMore: false };
  const rows = await readPage(context, cursor, limit + 1, viewer);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  // A short page was read to its end: what lies between its last row and the head is not for this reader.
  const end = last === undefined ? head : hasMore ? last : laterPosition(last, head);
  const events = page.map((row) => renderStaffEvent(row, context.links, formatCursor(row)));
  return { ok: true, events, owners: ownersOf(page), cursor: { xid: end.xid, id: end.id }, hasMore };
}

export async function feed(
  context: StorageContext,
  actor: StaffActor,
  page: { after?: string; limit: number },
): Promise<FeedPage> {
  const read = await translated(() => readFeed(context, page.after ?? formatCursor(FEED_START), page.limit, actor));
  if (!read.ok) throw resetError(read.reset);
  return { events: read.events, cursor: formatCursor(read.cursor), has_more: read.hasMore };
}

/** Seconds for which the oldest committed event has been held back from the feed by a transaction still running. */
export async function feedLagSeconds(context: StorageContext): Promise<number> {
  const result = await sql<{ lag: number | null }>`
    SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS lag FROM chat_event
     WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())`.execute(context.database.kysely);
  return Math.max(0, result.rows[0]?.lag ?? 0);
}
