import type { PostgresServer } from '@chat-realtime/testkit';
import type { History, Row } from '../checker/history.ts';

const EVENTS = `SELECT id, session_id, seq, type, sender_type, actor_id, client_message_id, body,
  extract(epoch FROM created_at)::float8 * 1000 AS at FROM chat_event WHERE session_id = ANY ($1::bigint[]) ORDER BY id`;
const SESSIONS = 'SELECT id, last_seq FROM chat_session WHERE id = ANY ($1::bigint[])';
const WAITING = 'SELECT h.stamped - h.published + (SELECT count(*) FROM outbox) AS waiting FROM feed_head h';

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** The truth at the end, from PostgreSQL itself and not through the services that are judged by it. */
export async function readTable(
  postgres: PostgresServer,
  ids: readonly number[],
): Promise<Pick<History, 'table' | 'sessions'>> {
  const events = await postgres.query(EVENTS, [ids]);
  const sessions = await postgres.query(SESSIONS, [ids]);
  return {
    table: events.map(
      (row): Row => ({
        id: Number(row['id']),
        sessionId: Number(row['session_id']),
        seq: row['seq'] === null ? null : Number(row['seq']),
        type: String(row['type']),
        sender: row['sender_type'] === 'client' ? 'client' : textOrNull(row['actor_id']),
        clientMessageId: textOrNull(row['client_message_id']),
        body: textOrNull(row['body']),
        committedAt: Number(row['at']),
      }),
    ),
    sessions: sessions.map((row) => ({ id: Number(row['id']), lastSeq: Number(row['last_seq']) })),
  };
}

/** Events that the broker has not confirmed. */
export async function readOutbox(postgres: PostgresServer): Promise<number> {
  const [row] = await postgres.query(WAITING);
  return Number(row?.['waiting']);
}
