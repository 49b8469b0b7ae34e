import type { Database } from '@chat-realtime/database';
import { sql } from 'kysely';

/** Marks a chat as the demo's own. Only the server does: what a customer says of a chat marks nothing. */
export async function markDemoChat(database: Database, sessionId: number): Promise<void> {
  await sql`INSERT INTO demo_chat (session_id) SELECT id FROM chat_session WHERE id = ${sessionId}
    ON CONFLICT DO NOTHING`.execute(database.kysely);
}
