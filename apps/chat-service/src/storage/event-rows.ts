import type { Tables } from '@chat-realtime/database';
import { type Kysely, sql } from 'kysely';
import type { EventRow } from './render.ts';
import { type BoundedRows, boundedRows, eventBytes } from './page-bytes.ts';

/** The columns every rendering needs; `sender_type` and the like are null where the type has none. */
export const EVENT_COLUMNS = [
  'id',
  'session_id',
  'seq',
  'type',
  'created_at',
  'actor_id',
  'actor_name',
  'sender_type',
  'body',
  'client_message_id',
  'attachments',
  'data',
  'staff_data',
  'assigned_user_id',
  'previous_user_id',
  'message_id',
] as const;

/** The same as text, for statements of their own; `alias` is a table's name in them. */
export function eventColumns(alias: string): string {
  return EVENT_COLUMNS.map((column) => `${alias}.${column}`).join(', ');
}

export function readSessionEvents(
  db: Kysely<Tables>,
  sessionId: number,
  afterSeq: number,
  limit: number,
): Promise<BoundedRows<EventRow>> {
  return boundedRows<EventRow>(db, {
    rows: sql`SELECT ${sql.raw(eventColumns('e'))} FROM chat_event e
      WHERE e.session_id = ${sessionId}::bigint AND e.seq > ${afterSeq}::bigint ORDER BY e.seq LIMIT ${limit}::bigint`,
    bytes: sql.raw(eventBytes('r')),
    order: sql`r.seq`,
    limit,
  });
}
