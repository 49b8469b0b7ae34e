import type { Database } from '@chat-realtime/database';
import { sql } from 'kysely';

const SERVED_FOR_REAL = 'served_for_real_since';

/** From now on this database holds real chats, also when a demo is started on it some day. */
export async function markServedForReal(database: Database): Promise<void> {
  await sql`INSERT INTO chat_meta (name, value) VALUES (${SERVED_FOR_REAL}, now()::text)
    ON CONFLICT (name) DO NOTHING`.execute(database.kysely);
}

export async function wasServedForReal(database: Database): Promise<boolean> {
  const { rows } = await sql`SELECT FROM chat_meta WHERE name = ${SERVED_FOR_REAL}`.execute(database.kysely);
  return rows.length > 0;
}

/** Begun as a demo, or empty, and never served as anything else. */
export async function holdsOnlyDemo(database: Database): Promise<boolean> {
  const { rows } = await sql<{ only_demo: boolean }>`
    SELECT NOT EXISTS (SELECT FROM chat_meta WHERE name = ${SERVED_FOR_REAL})
      AND (EXISTS (SELECT FROM chat_meta WHERE name = 'demo_seeded_at') OR NOT EXISTS (SELECT FROM chat_session))
      AS only_demo`.execute(database.kysely);
  return rows[0]?.only_demo === true;
}
