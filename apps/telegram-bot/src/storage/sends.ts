import type { Database } from '@chat-realtime/database';
import type { ErasedData } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { type Content, contentSchema } from '../domain/content.ts';
import { storedJson } from './stored-json.ts';

/** Whom a text is for. With an operator's or a customer's binding it goes when that goes. */
export type Recipient =
  | { readonly kind: 'operator'; readonly bindingId: number; readonly chatId: number }
  | { readonly kind: 'customer'; readonly bindingId: number; readonly chatId: number }
  /** An answer to somebody who is bound to nobody. */
  | { readonly kind: 'anybody'; readonly chatId: number };

export interface NewSend {
  readonly to: Recipient;
  readonly content: Content;
  readonly sessionId?: number | undefined;
  readonly seq?: number | undefined;
  readonly messageId?: number | undefined;
  readonly purpose?: 'message' | 'note';
}

export interface DueSend {
  readonly id: number;
  readonly chatId: number;
  readonly operatorId: number | null;
  readonly userId: string | null;
  readonly customerId: number | null;
  readonly sessionId: number | null;
  readonly seq: number | null;
  readonly messageId: number | null;
  readonly purpose: string;
  readonly content: Content;
  /** A crash came between the call and its answer: it may have been sent. */
  readonly maybeSent: boolean;
  readonly attempts: number;
}

interface SendRow {
  readonly id: number;
  readonly chat_id: number;
  readonly operator_id: number | null;
  readonly user_id: string | null;
  readonly customer_id: number | null;
  readonly session_id: number | null;
  readonly seq: number | null;
  readonly message_id: number | null;
  readonly purpose: string;
  readonly content: unknown;
  readonly maybe_sent: boolean;
  readonly attempts: number;
}

const CHATS_MAX = 16;
const number = (value: number | null): number | null => (value === null ? null : Number(value));

/** Texts the bot owes, in each chat one after the other. */
export class SendStore {
  readonly #database: Database;
  readonly #botId: number;

  constructor(database: Database, botId: number) {
    this.#database = database;
    this.#botId = botId;
  }

  async add(sends: readonly NewSend[], db: Database['kysely'] = this.#database.kysely): Promise<void> {
    for (const { to, content, sessionId, seq, messageId, purpose } of sends) {
      await sql`INSERT INTO telegram_send (chat_id, operator_id, customer_id, session_id, seq, message_id, purpose, content)
        VALUES (${to.chatId}::bigint, ${to.kind === 'operator' ? to.bindingId : null}::bigint,
          ${to.kind === 'customer' ? to.bindingId : null}::bigint, ${sessionId ?? null}::bigint, ${seq ?? null}::bigint,
          ${messageId ?? null}::bigint, ${purpose ?? 'message'}, ${storedJson(content)}::jsonb)`.execute(db);
    }
  }

  /** The first one of each chat, where it is due; a later one never overtakes it. Chats in `busy` are being sent to. */
  async due(busy: readonly number[]): Promise<DueSend[]> {
    const result = await sql<SendRow>`
      SELECT h.id, h.chat_id, h.operator_id, o.user_id, h.customer_id, h.session_id, h.seq, h.message_id, h.purpose,
             h.content, h.sending_at IS NOT NULL AS maybe_sent, h.attempts
        FROM (SELECT DISTINCT ON (chat_id) * FROM telegram_send WHERE chat_id <> ALL (${busy}::bigint[]) ORDER BY chat_id, id) h
        LEFT JOIN operator_telegram o ON o.id = h.operator_id
       WHERE h.due_at <= clock_timestamp() ORDER BY h.due_at LIMIT ${CHATS_MAX}::bigint`.execute(this.#database.kysely);
    return result.rows.map((row) => ({
      id: Number(row.id),
      chatId: Number(row.chat_id),
      operatorId: number(row.operator_id),
      userId: row.user_id,
      customerId: number(row.customer_id),
      sessionId: number(row.session_id),
      seq: number(row.seq),
      messageId: number(row.message_id),
      purpose: row.purpose,
      content: contentSchema.parse(row.content),
      maybeSent: row.maybe_sent,
      attempts: row.attempts,
    }));
  }

  /** False: the binding, and the text with it, went a moment ago. */
  async begin(id: number): Promise<boolean> {
    const result = await sql`UPDATE telegram_send SET sending_at = clock_timestamp(), attempts = attempts + 1
      WHERE id = ${id}::bigint RETURNING id`.execute(this.#database.kysely);
    return result.rows.length > 0;
  }

  /** Gone, and known by the ids it has in Telegram. */
  async sent(send: DueSend, telegramIds: readonly number[]): Promise<void> {
    await this.#database.kysely.transaction().execute(async (trx) => {
      await sql`DELETE FROM telegram_send WHERE id = ${send.id}::bigint`.execute(trx);
      if (send.sessionId === null) return;
      for (const id of telegramIds)
        await remember(trx, this.#botId, { ...send, sessionId: send.sessionId, telegramId: id });
    });
  }

  async postpone(id: number, seconds: number): Promise<void> {
    await sql`UPDATE telegram_send SET sending_at = NULL, due_at = clock_timestamp() + make_interval(secs => ${seconds}::float8)
      WHERE id = ${id}::bigint`.execute(this.#database.kysely);
  }

  /** In its place, at once. */
  async replace(id: number, content: Content): Promise<void> {
    await sql`UPDATE telegram_send SET sending_at = NULL, due_at = clock_timestamp(), content = ${storedJson(content)}::jsonb
      WHERE id = ${id}::bigint`.execute(this.#database.kysely);
  }

  async drop(id: number): Promise<void> {
    await sql`DELETE FROM telegram_send WHERE id = ${id}::bigint`.execute(this.#database.kysely);
  }

  /** Nothing more is sent to an account that has stopped the bot; what was written stands in the console. */
  async dropChat(chatId: number): Promise<void> {
    await sql`DELETE FROM telegram_send WHERE chat_id = ${chatId}::bigint`.execute(this.#database.kysely);
  }

  /** What was erased is not sent any more; it was told before the event that erases it. */
  async dropErased(sessionId: number, erased: ErasedData, db: Database['kysely']): Promise<void> {
    if (!erased.kinds.includes('messages')) return;
    const all = erased.scope === 'session';
    for (const table of ['telegram_send', 'telegram_topic_send'])
      await sql`DELETE FROM ${sql.table(table)} WHERE session_id = ${sessionId}::bigint
        AND (${all}::boolean OR message_id <= ${erased.through_id}::bigint)`.execute(db);
  }

  async moveChat(from: number, to: number): Promise<void> {
    await sql`UPDATE telegram_send SET chat_id = ${to}::bigint, sending_at = NULL WHERE chat_id = ${from}::bigint`.execute(
      this.#database.kysely,
    );
  }

  async pending(): Promise<number> {
    const result = await sql<{ count: number }>`SELECT count(*) AS count FROM telegram_send`.execute(
      this.#database.kysely,
    );
    return Number(result.rows[0]?.count ?? 0);
  }
}

export interface Remembered {
  readonly chatId: number;
  readonly telegramId: number;
  readonly sessionId: number;
  readonly seq: number | null;
  readonly messageId: number | null;
  readonly purpose: string;
}

/** Numbers in Telegram are of one bot: another one counts anew. */
export async function remember(db: Database['kysely'], botId: number, entry: Remembered): Promise<void> {
  await sql`INSERT INTO telegram_message (bot_id, chat_id, telegram_message_id, session_id, seq, message_id, purpose)
    VALUES (${botId}::bigint, ${entry.chatId}::bigint, ${entry.telegramId}::bigint, ${entry.sessionId}::bigint,
      ${entry.seq}::bigint, ${entry.messageId}::bigint, ${entry.purpose})
    ON CONFLICT (bot_id, chat_id, telegram_message_id) DO UPDATE SET session_id = EXCLUDED.session_id,
      seq = EXCLUDED.seq, message_id = EXCLUDED.message_id, purpose = EXCLUDED.purpose,
      created_at = clock_timestamp()`.execute(db);
}
