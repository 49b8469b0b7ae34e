import type { Database } from '@chat-realtime/database';
import type { Ack } from '@chat-realtime/protocol';
import { sql } from 'kysely';

type Db = Database['kysely'];

/** The delivered messages of each person. */
export interface Reached {
  readonly sessionId: number | null;
  readonly messageId: number | null;
  readonly userId: string | null;
  readonly customerId: number | null;
}

/** In the transaction that says it was sent: a process that is killed a moment later forgets nothing. */
export async function addMark(db: Db, reached: Reached): Promise<void> {
  const { sessionId, messageId, userId, customerId } = reached;
  if (sessionId === null || messageId === null) return;
  const participant = customerId !== null ? 'client' : userId === null ? undefined : `staff:${userId}`;
  if (participant === undefined) return;
  await sql`INSERT INTO telegram_mark (session_id, participant, message_id)
    VALUES (${sessionId}::bigint, ${participant}, ${messageId}::bigint)
    ON CONFLICT (session_id, participant) DO UPDATE SET message_id = EXCLUDED.message_id, at = EXCLUDED.at
      WHERE telegram_mark.message_id < EXCLUDED.message_id`.execute(db);
}

/** Marks that chat-service was not told yet: the latest of each. */
export class MarkStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async open(limit: number): Promise<Ack[]> {
    const result = await sql<{ session_id: number; participant: string; message_id: number; at: Date }>`
      SELECT session_id, participant, message_id, at FROM telegram_mark ORDER BY at LIMIT ${limit}::bigint`.execute(
      this.#database.kysely,
    );
    return result.rows.map((row) => ({
      session_id: Number(row.session_id),
      participant: row.participant,
      last_id: Number(row.message_id),
      at: row.at.toISOString(),
    }));
  }

  /** A later one that came in the meantime stays. */
  async told(acks: readonly Ack[]): Promise<void> {
    await sql`DELETE FROM telegram_mark m USING unnest(${acks.map((ack) => ack.session_id)}::bigint[],
        ${acks.map((ack) => ack.participant)}::text[], ${acks.map((ack) => ack.last_id)}::bigint[]) AS t(session_id, participant, id)
      WHERE m.session_id = t.session_id AND m.participant = t.participant AND m.message_id <= t.id`.execute(
      this.#database.kysely,
    );
  }
}
