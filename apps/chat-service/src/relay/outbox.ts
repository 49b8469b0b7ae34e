import type { Database, DedicatedSession } from '@chat-realtime/database';
import type { EventRow } from '../domain/render.ts';
import { eventColumns } from '../storage/event-rows.ts';

export interface OutboxRow extends EventRow {
  readonly traceparent: string | null;
}

/** State, not a cursor: a row that became visible late is never passed over. */
const PENDING = {
  name: 'outbox-pending',
  text: `SELECT ${eventColumns('e')}, o.traceparent FROM outbox o JOIN chat_event e ON e.id = o.event_id
    WHERE o.published_at IS NULL ORDER BY o.event_id LIMIT $1`,
} as const;
const MARK = {
  name: 'outbox-mark',
  text: 'UPDATE outbox SET published_at = clock_timestamp() WHERE event_id = ANY ($1::bigint[])',
} as const;
const REPUBLISH = {
  name: 'outbox-republish',
  text: `UPDATE outbox SET published_at = NULL WHERE published_at > clock_timestamp() - make_interval(secs => $1) RETURNING 1 AS one`,
} as const;
const DELETE_OLD = {
  name: 'outbox-delete-old',
  text: `DELETE FROM outbox WHERE event_id IN (SELECT event_id FROM outbox
    WHERE published_at < clock_timestamp() - make_interval(hours => $1) LIMIT $2) RETURNING 1 AS one`,
} as const;
const STATS = {
  name: 'outbox-stats',
  text: `SELECT count(*) AS pending, COALESCE(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest
    FROM (SELECT created_at FROM outbox WHERE published_at IS NULL ORDER BY event_id LIMIT 10000) waiting`,
} as const;

/**
 * Marks what was published in the last `seconds` as unpublished; the leader then publishes it again. Any process may do
 * it: whoever is told first that the broker lost its queue need not be the leader.
 */
export async function republish(database: Pick<Database, 'query'>, seconds: number): Promise<number> {
  return (await database.query(REPUBLISH, [seconds])).length;
}

/**
 * The outbox through the connection that holds the leader's lock: a statement that succeeds proves that the lock is
 * still held, so an old leader cannot publish beside a new one for longer than one batch.
 */
export class Outbox {
  readonly #session: DedicatedSession;

  constructor(session: DedicatedSession) {
    this.#session = session;
  }

  pending(limit: number): Promise<OutboxRow[]> {
    return this.#session.query<OutboxRow>(PENDING, [limit]);
  }

  async mark(ids: readonly number[]): Promise<void> {
    await this.#session.query(MARK, [ids]);
  }

  async deleteOld(hours: number, limit: number): Promise<number> {
    return (await this.#session.query(DELETE_OLD, [hours, limit])).length;
  }

  async stats(): Promise<{ pending: number; oldestAgeSeconds: number }> {
    const [row] = await this.#session.query<{ pending: number; oldest: number }>(STATS);
    return { pending: row?.pending ?? 0, oldestAgeSeconds: Math.max(0, row?.oldest ?? 0) };
  }
}
