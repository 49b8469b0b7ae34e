import type { Database } from '@chat-realtime/database';
import type { Update } from 'grammy/types';
import { sql } from 'kysely';
import { storedJson } from './stored-json.ts';

/** Telegram keeps unfetched updates for a day; a row is kept longer, so that no update is handled twice. */
const KEEP_HOURS = 72;
/** Parts of an album come as updates of their own, one right after the other. */
const ALBUM_QUIET_MS = 800;
const ALBUM_MAX = 10;
const CHATS_MAX = 16;

/** What is handled at once: an update, or all parts of an album. */
export interface Batch {
  readonly chatId: number;
  readonly updates: readonly Update[];
  readonly ids: readonly number[];
  /** How often it has failed already. */
  readonly attempts: number;
}

interface UpdateRow {
  readonly update_id: number;
  readonly chat_id: number;
  readonly album: string | null;
  readonly payload: Update;
  readonly ready: boolean;
  readonly attempts: number;
}

/** Updates that were fetched and are not handled yet, durable before they are confirmed to Telegram. */
export class UpdateStore {
  readonly #database: Database;
  readonly #botId: number;

  constructor(database: Database, botId: number) {
    this.#database = database;
    this.#botId = botId;
  }

  /** Each once, however often Telegram gives it. Answers how many were new. */
  async take(updates: readonly Update[]): Promise<number> {
    const known = updates.filter((update) => chatOf(update) !== undefined);
    if (known.length === 0) return 0;
    const rows = known.map(
      (update) =>
        sql`(${this.#botId}::bigint, ${update.update_id}::bigint, ${chatOf(update)}::bigint, ${albumOf(update)}::text, ${storedJson(update)}::jsonb)`,
    );
    const taken = await sql`INSERT INTO telegram_update (bot_id, update_id, chat_id, album, payload)
      VALUES ${sql.join(rows)} ON CONFLICT DO NOTHING RETURNING update_id`.execute(this.#database.kysely);
    return taken.rows.length;
  }

  /** After the last fetched one; undefined: from the oldest that Telegram has. */
  async next(): Promise<number | undefined> {
    const result = await sql<{ last: number | null }>`
      SELECT max(update_id) AS last FROM telegram_update WHERE bot_id = ${this.#botId}::bigint`.execute(
      this.#database.kysely,
    );
    const last = result.rows[0]?.last;
    return last === null || last === undefined ? undefined : Number(last) + 1;
  }

  /** The next batch of each chat that is due; chats in `busy` are being worked on. */
  async due(busy: readonly number[]): Promise<{ batches: Batch[]; waiting: boolean }> {
    const result = await sql<UpdateRow>`
      WITH heads AS (
        SELECT DISTINCT ON (chat_id) chat_id, update_id, album, due_at FROM telegram_update
         WHERE payload IS NOT NULL AND bot_id = ${this.#botId}::bigint AND chat_id <> ALL (${busy}::bigint[])
         ORDER BY chat_id, update_id)
      SELECT u.update_id, u.chat_id, u.album, u.payload, u.attempts,
             h.due_at <= clock_timestamp() AND (u.album IS NULL OR (
               SELECT max(p.received_at) FROM telegram_update p
                WHERE p.bot_id = ${this.#botId}::bigint AND p.chat_id = h.chat_id AND p.album = h.album AND p.payload IS NOT NULL)
               < clock_timestamp() - make_interval(secs => ${ALBUM_QUIET_MS / 1_000}::float8)) AS ready
        FROM (SELECT * FROM heads ORDER BY due_at LIMIT ${CHATS_MAX}::bigint) h
        JOIN telegram_update u ON u.bot_id = ${this.#botId}::bigint AND u.chat_id = h.chat_id AND u.payload IS NOT NULL
         AND (u.update_id = h.update_id OR u.album = h.album)
       ORDER BY u.chat_id, u.update_id`.execute(this.#database.kysely);
    const chats = new Map<number, UpdateRow[]>();
    for (const row of result.rows) {
      const chatId = Number(row.chat_id);
      chats.set(chatId, [...(chats.get(chatId) ?? []), row]);
    }
    const batches: Batch[] = [];
    for (const [chatId, rows] of chats) {
      if (!rows.every(({ ready }) => ready)) continue;
      const part = rows.slice(0, ALBUM_MAX);
      batches.push({
        chatId,
        updates: part.map(({ payload }) => payload),
        ids: part.map(({ update_id: id }) => Number(id)),
        attempts: Math.max(...part.map(({ attempts }) => attempts)),
      });
    }
    return { batches, waiting: chats.size > batches.length };
  }

  /** Its text is deleted, its number stays. */
  async handled({ ids }: Batch, trx: Database['kysely']): Promise<void> {
    await sql`UPDATE telegram_update SET payload = NULL
      WHERE bot_id = ${this.#botId}::bigint AND update_id = ANY (${ids}::bigint[])`.execute(trx);
  }

  /** It is not this update that fails: no try of it is counted, however long that lasts. */
  async postpone({ ids }: Batch, seconds: number): Promise<void> {
    await sql`UPDATE telegram_update SET due_at = clock_timestamp() + make_interval(secs => ${seconds}::float8)
      WHERE bot_id = ${this.#botId}::bigint AND update_id = ANY (${ids}::bigint[])`.execute(this.#database.kysely);
  }

  /** It failed, and so many tries are not without end. */
  async failed({ ids }: Batch, seconds: number): Promise<void> {
    await sql`UPDATE telegram_update SET attempts = attempts + 1, due_at = clock_timestamp() + make_interval(secs => ${seconds}::float8)
      WHERE bot_id = ${this.#botId}::bigint AND update_id = ANY (${ids}::bigint[])`.execute(this.#database.kysely);
  }

  async forget(): Promise<void> {
    await sql`DELETE FROM telegram_update WHERE payload IS NULL
      AND received_at < now() - make_interval(hours => ${KEEP_HOURS}::integer)`.execute(this.#database.kysely);
    await sql`DELETE FROM telegram_callback_told WHERE told_at < now() - interval '3 days'`.execute(
      this.#database.kysely,
    );
    await sql`DELETE FROM telegram_message WHERE created_at < now() - interval '90 days'`.execute(
      this.#database.kysely,
    );
  }
}

export function chatOf(update: Update): number | undefined {
  return (
    update.message?.chat.id ??
    update.edited_message?.chat.id ??
    update.my_chat_member?.chat.id ??
    (update.callback_query === undefined
      ? undefined
      : (update.callback_query.message?.chat.id ?? update.callback_query.from.id))
  );
}

function albumOf(update: Update): string | null {
  return update.message?.media_group_id ?? null;
}
