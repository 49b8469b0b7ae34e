import type { Database, DedicatedSession } from '@chat-realtime/database';
import type { EventRow } from '../storage/render.ts';
import { eventColumns } from '../storage/event-rows.ts';

export interface OutboxRow extends EventRow {
  readonly feed_seq: number;
  readonly traceparent: string | null;
}

/** What is published next, by feed numbers: after `from`, up to and including `to`. */
export interface PendingBatch {
  readonly from: number;
  readonly to: number;
  readonly rows: readonly OutboxRow[];
}

/** Events that are stamped by one statement. */
const STAMP_MAX = 500;
/** The text of one batch: so much and one event more is in memory at a time. */
const BATCH_BYTES = 1_048_576;

const STAMP = { name: 'feed-stamp', text: 'SELECT chat_stamp_feed($1::integer) AS stamped' } as const;
const NEXT = {
  name: 'feed-next',
  text: `SELECT b.published, b.feed_seq, b.traceparent, ${eventColumns('b')}
    FROM chat_next_batch($1::bigint, $2::bigint, $3::integer) b`,
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
  /** Published and not yet marked. */
  #confirmed: { readonly from: number; readonly to: number } | undefined;

  constructor(session: DedicatedSession) {
    this.#session = session;
  }

  /** Assigns the next feed numbers to all pending events. */
  async stamp(): Promise<void> {
    let stamped: number;
    do {
      const [row] = await this.#session.query<{ stamped: number }>(STAMP, [STAMP_MAX]);
      stamped = row?.stamped ?? 0;
    } while (stamped === STAMP_MAX);
  }

  /**
   * Stamps up to 500 events, and returns what is stamped and not published, in the order of the feed. One statement, which
   * also marks what was confirmed before.
   */
  async next(): Promise<PendingBatch | undefined> {
    const { from, to } = this.#confirmed ?? { from: null, to: null };
    const found = await this.#session.query<PendingRow>(NEXT, [from, to, BATCH_BYTES]);
    this.#confirmed = undefined;
    const last = found.at(-1);
    if (last === undefined) return undefined;
    const rows = found.filter((row): row is Exclude<PendingRow, { id: null }> => row.id !== null);
    return { from: last.published, to: last.feed_seq, rows };
  }

  /**
   * The broker has these events, those after `from`, up to and including `to`. The next statement marks them, unless
   * they must be published again meanwhile.
   */
  confirmed(from: number, to: number): void {
    this.#confirmed = { from, to };
  }

  /** Marks what was confirmed, when no next batch will do so. */
  async mark(): Promise<void> {
    if (this.#confirmed === undefined) return;
    const { from, to } = this.#confirmed;
    await this.#session.query(MARK, [from, to]);
    this.#confirmed = undefined;
  }

  async stats(): Promise<{ pending: number; oldestAgeSeconds: number }> {
    const [row] = await this.#session.query<{ pending: number; oldest: number }>(STATS);
    return { pending: row?.pending ?? 0, oldestAgeSeconds: Math.max(0, row?.oldest ?? 0) };
  }
}
