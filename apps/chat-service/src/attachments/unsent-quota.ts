import type { Database } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { OCTET_STREAM } from './sniff.ts';

export interface UnsentLimits {
  readonly unsentPerSession: number;
  readonly unsentPerAddress: number;
}

export interface Uploader {
  readonly sessionId: number;
  readonly participant: string;
  readonly name: string;
  readonly from: string | null;
}

/** Names of the two locks; the second number is a hash of whose bytes are counted. */
const ADDRESS_LOCK = 7_310_501;
const SESSION_LOCK = 7_310_502;
const RETRY_SECONDS = 3_600;

/**
 * How many bytes may lie here that nobody has sent. The row of an upload is written before its first byte, with the
 * size that was announced, so that uploads under way count on every instance.
 */
export class UnsentQuota {
  readonly #database: Database;
  readonly #limits: UnsentLimits;

  constructor(database: Database, limits: UnsentLimits) {
    this.#database = database;
    this.#limits = limits;
  }

  /**
   * Customer and staff do not use up each other's share. @throws ChatError 429 when the session or the address has too
   * much here already.
   */
  async reserve(id: string, { sessionId, participant, name, from }: Uploader, size: number): Promise<void> {
    const { unsentPerSession, unsentPerAddress } = this.#limits;
    await this.#database.kysely.transaction().execute(async (trx) => {
      // Always in this order: an address may have many sessions, a session few addresses.
      if (from !== null) await sql`SELECT pg_advisory_xact_lock(${ADDRESS_LOCK}, hashtext(${from}))`.execute(trx);
      await sql`SELECT pg_advisory_xact_lock(${SESSION_LOCK}, hashtext(${String(sessionId)}))`.execute(trx);
      const { rows } = await sql<{ session: number; address: number }>`
        SELECT
          (SELECT coalesce(sum(size), 0)::float8 FROM chat_attachment
            WHERE session_id = ${sessionId} AND uploaded_by = ${participant} AND event_id IS NULL) AS session,
          (SELECT coalesce(sum(size), 0)::float8 FROM chat_attachment
            WHERE uploaded_from = ${from} AND event_id IS NULL) AS address`.execute(trx);
      const held = rows[0] ?? { session: 0, address: 0 };
      if (unsentPerSession > 0 && held.session + size > unsentPerSession) throw overQuota('this side of the chat');
      if (from !== null && unsentPerAddress > 0 && held.address + size > unsentPerAddress)
        throw overQuota('this address');
      await trx
        .insertInto('chat_attachment')
        .values({
          id,
          session_id: sessionId,
          uploaded_by: participant,
          name,
          mime: OCTET_STREAM,
          size,
          width: null,
          height: null,
          storage_key: id,
          uploaded_from: from,
        })
        .execute();
    });
  }
}

function overQuota(whose: string): ChatError {
  return new ChatError('rate_limited', `${whose} has too many bytes uploaded and not sent; send them first`, {
    retryAfterSeconds: RETRY_SECONDS,
  });
}
