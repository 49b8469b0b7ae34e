import type { Database } from '@chat-realtime/database';
import { sql } from 'kysely';
import { isOpenIn } from '../callbacks/open-callbacks.ts';

const BATCH = 1_000;

/**
 * Deletes alerts, and what was sent of them, `days` after they were raised. The row is also what keeps its cause from
 * being raised a second time, so it stays as long as a sweep could still find the cause: a customer who waits for
 * months, a callback that nobody settles. Answers how many were deleted.
 */
export async function deleteOldAlerts(database: Pick<Database, 'kysely'>, days: number): Promise<number> {
  for (let total = 0; ; ) {
    const result = await sql<{ deleted: number }>`
      WITH bound AS (SELECT clock_timestamp() - make_interval(days => ${days}::integer) AS at), old AS (
        SELECT a.id FROM chat_alert a CROSS JOIN bound
          LEFT JOIN chat_session s ON s.id = a.session_id
          LEFT JOIN chat_callback c ON c.id = a.callback_id
          LEFT JOIN chat_read_mark m ON m.session_id = a.session_id AND m.participant = 'client'
         WHERE a.created_at < bound.at
           AND (a.reason = 'waiting' AND s.status <> 'closed' AND s.waiting_since < a.created_at) IS NOT TRUE
           AND (a.reason = 'callback_due' AND ${sql.raw(isOpenIn('c.status'))}) IS NOT TRUE
           AND CASE WHEN a.reason = 'reply_unseen' AND s.updated_at >= bound.at
               THEN split_part(a.dedupe_key, ':', 3)::bigint <= COALESCE(GREATEST(m.delivered_id, m.read_id), 0)
               ELSE true END
         ORDER BY a.created_at LIMIT ${BATCH}
      ), sent AS (
        DELETE FROM webhook_delivery WHERE alert_id IN (SELECT id FROM old)
      ), gone AS (
        DELETE FROM chat_alert WHERE id IN (SELECT id FROM old) RETURNING id
      )
      SELECT count(*)::int AS deleted FROM gone`.execute(database.kysely);
    const deleted = result.rows[0]?.deleted ?? 0;
    total += deleted;
    if (deleted < BATCH) return total;
  }
}
