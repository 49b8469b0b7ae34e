import type { Database, DedicatedSession } from '@chat-realtime/database';
import type { EventRow } from '../storage/render.ts';
import { eventColumns } from '../storage/event-rows.ts';
import { eventBytes } from '../storage/page-bytes.ts';

export interface OutboxRow extends EventRow {
  readonly feed_seq: number;
  readonly traceparent: string | null;
}

/** What is published next, by feed numbers: after `from`, up to and including `to`. */
export interface PendingBatch {
  readonly from: number;
  readonly to: number;
  readonly rows: readonly OutboxRow[];
  /** Cut off by a bound: more waits behind it. */
  readonly full: boolean;
}

/** Events of one batch. */
export const BATCH_MAX = 500;
/** The text of one batch: so much and one event more is in memory at a time. */
const BATCH_BYTES = 1_048_576;

const STAMP = { name: 'feed-stamp', text: 'SELECT chat_stamp_feed($1::integer) AS stamped' } as const;
/**
 * The page is cut before events are joined, by a limit that the planner knows, and each event is looked up by its key.
 * Otherwise the planner reckons with a third of all numbers, and reads the whole feed for each batch.
 */
const PENDING = {
  name: 'feed-pending',
  text: `SELECT * FROM (
      SELECT f.published, f.feed_seq, f.traceparent, ${eventColumns('e')}, ${eventBytes('e')} AS bytes,
        sum(${eventBytes('e')}) OVER (ORDER BY f.feed_seq) AS bytes_to_here
      FROM (SELECT (SELECT published FROM feed_head) AS published, n.feed_seq, n.event_id, n.traceparent FROM feed n
        WHERE n.feed_seq > (SELECT published FROM feed_head) ORDER BY n.feed_seq LIMIT ${BATCH_MAX}) f
      LEFT JOIN LATERAL (SELECT * FROM chat_event e WHERE e.id = f.event_id OFFSET 0) e ON true) page
    WHERE page.bytes_to_here - page.bytes < $1 ORDER BY page.feed_seq`,
} as const;
const MARK = { name: 'feed-mark', text: 'SELECT chat_mark_published($1::bigint, $2::bigint) AS marked' } as const;
const REPUBLISH = { name: 'feed-republish', text: 'SELECT chat_republish($1::integer) AS events' } as const;
const STATS = {
  name: 'feed-stats',
  text: `SELECT h.stamped - h.published + (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 10000) o) AS pending,
      COALESCE(extract(epoch FROM clock_timestamp() - LEAST((SELECT min(o.created_at) FROM outbox o),
        (SELECT e.created_at FROM feed f JOIN chat_event e ON e.id = f.event_id WHERE f.feed_seq = h.published + 1))), 0)::float8 AS oldest
    FROM feed_head h`,
} as const;

/** A row of the feed whose event was deleted since has no columns of it. */
type PendingRow = (OutboxRow | (Pick<OutboxRow, 'feed_seq' | 'traceparent'> & { readonly id: null })) & {
  readonly published: number;
  readonly bytes_to_here: number;
};

/**
 * Makes the leader publish the last `seconds` again. Any process may call it: the one that notices that the broker lost
 * its queue need not be the leader.
 */
export async function republish(database: Pick<Database, 'query'>, seconds: number): Promise<number> {
  const [row] = await database.query<{ events: number }>(REPUBLISH, [seconds]);
  return row?.events ?? 0;
}

/**
 * Outbox and feed through the connection that holds the leader's lock: a statement that succeeds proves that the lock
 * is still held, so an old leader cannot publish beside a new one for longer than one batch.
 */
export class Outbox {
  readonly #session: DedicatedSession;

  constructor(session: DedicatedSession) {
    this.#session = session;
  }

  /** Assigns the next feed numbers to all pending events. Returns how many. */
  async stamp(limit: number): Promise<number> {
    const [row] = await this.#session.query<{ stamped: number }>(STAMP, [limit]);
    return row?.stamped ?? 0;
  }

  /** What is stamped and not published, in the order of the feed. */
  async pending(): Promise<PendingBatch | undefined> {
    const found = await this.#session.query<PendingRow>(PENDING, [BATCH_BYTES]);
    const last = found.at(-1);
    if (last === undefined) return undefined;
    const rows = found.filter((row): row is Exclude<PendingRow, { id: null }> => row.id !== null);
    const full = found.length === BATCH_MAX || Number(last.bytes_to_here) >= BATCH_BYTES;
    return { from: last.published, to: last.feed_seq, rows, full };
  }

  /** Returns false, and marks nothing, if the events must be published again. */
  async mark(from: number, to: number): Promise<boolean> {
    const [row] = await this.#session.query<{ marked: boolean }>(MARK, [from, to]);
    return row?.marked === true;
  }

  async stats(): Promise<{ pending: number; oldestAgeSeconds: number }> {
    const [row] = await this.#session.query<{ pending: number; oldest: number }>(STATS);
    return { pending: row?.pending ?? 0, oldestAgeSeconds: Math.max(0, row?.oldest ?? 0) };
  }
}
