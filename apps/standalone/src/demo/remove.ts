import { type AuditEntry, type Database, recordAudit } from '@chat-realtime/database';
import { sql } from 'kysely';

/**
 * Deletes the demo chats and all that hangs on them, in one transaction with its entry in the log; answers how many there
 * were.
 */
export async function removeDemoChats(
  database: Database,
  actor: AuditEntry['actor'],
  action: 'demo.chats_removed' | 'demo.ended',
): Promise<number> {
  return database.kysely.transaction().execute(async (trx) => {
    const found = await sql<{ session_id: number }>`SELECT session_id FROM demo_chat`.execute(trx);
    const ids = found.rows.map((row) => row.session_id);
    if (ids.length > 0 || action === 'demo.ended')
      await recordAudit(trx, { actor, action, subject: null, details: { chats: ids.length } });
    if (ids.length === 0) return 0;
    const chosen = sql`(${sql.join(ids)})`;
    await sql`DELETE FROM webhook_delivery WHERE alert_id IN (SELECT id FROM chat_alert WHERE session_id IN ${chosen})`.execute(
      trx,
    );
    await sql`DELETE FROM chat_alert WHERE session_id IN ${chosen}`.execute(trx);
    await sql`DELETE FROM chat_callback WHERE session_id IN ${chosen}`.execute(trx);
    await sql`DELETE FROM chat_attachment WHERE session_id IN ${chosen}`.execute(trx);
    await sql`DELETE FROM chat_read_mark WHERE session_id IN ${chosen}`.execute(trx);
    await sql`DELETE FROM outbox WHERE event_id IN (SELECT id FROM chat_event WHERE session_id IN ${chosen})`.execute(
      trx,
    );
    // Their numbers in the feed stay: who reads it passes over them.
    await sql`DELETE FROM chat_event WHERE session_id IN ${chosen}`.execute(trx);
    await sql`DELETE FROM revocation WHERE kind = 'session' AND subject IN (${sql.join(ids.map(String))})`.execute(trx);
    await sql`DELETE FROM chat_session WHERE id IN ${chosen}`.execute(trx);
    return ids.length;
  });
}
