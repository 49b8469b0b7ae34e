import type { Database } from '@chat-realtime/database';
import {
  type ErasedData,
  operatorStatusSchema,
  seesCallback,
  seesSession,
  staffScopeSchema,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { type Content, contentSchema } from '../domain/content.ts';
import { textsFor } from '../texts.ts';
import { addMark } from './marks.ts';
import { storedJson } from './stored-json.ts';

/** The recipient of a text. A text with an operator's or a customer's binding is deleted with the binding. */
export type Recipient =
  | { readonly kind: 'operator'; readonly bindingId: number; readonly chatId: number }
  | { readonly kind: 'customer'; readonly bindingId: number; readonly chatId: number }
  /** An answer to an account that is not linked to anyone. */
  | { readonly kind: 'anybody'; readonly chatId: number };

export interface NewSend {
  readonly to: Recipient;
  readonly content: Content;
  readonly sessionId?: number | undefined;
  readonly seq?: number | undefined;
  readonly messageId?: number | undefined;
  readonly purpose?: 'message' | 'note';
  /** What must still be true of the operator when it is sent. */
  readonly needs?: Needs | undefined;
}

/**
 * Re-checked when a text is sent, since it may have waited for long. The answer to a command does not depend on duty.
 */
export interface Needs {
  readonly duty?: boolean;
  readonly scope?: boolean;
  /** With `scope`: it shows this callback request, which its assignee may always see. */
  readonly callbackId?: number | undefined;
}

export type Verdict =
  | 'send'
  /** The binding was removed a moment ago, and the text with it. */
  | 'gone'
  | 'off_duty'
  | 'out_of_scope';

export interface SendLimits {
  /** Queued in one chat. */
  readonly rows: number;
  readonly hours: number;
}
/** A message that was not delivered for a day is dropped. It remains in the chat. */
const LIMITS: SendLimits = { rows: 500, hours: 24 };

export interface DueSend {
  readonly id: number;
  readonly chatId: number;
  readonly operatorId: number | null;
  readonly userId: string | null;
  readonly customerId: number | null;
  readonly sessionId: number | null;
  readonly seq: number | null;
  readonly messageId: number | null;
  readonly callbackId: number | null;
  readonly purpose: string;
  readonly content: Content;
  /** A crash came between the call and its answer: the text may have been sent. */
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
  readonly callback_id: number | null;
  readonly purpose: string;
  readonly content: unknown;
  readonly maybe_sent: boolean;
  readonly attempts: number;
  readonly left_out: number;
  readonly locale: string | null;
}

interface JudgedRow {
  readonly needs_duty: boolean;
  readonly needs_scope: boolean;
  readonly has_callback: boolean;
  readonly user_id: string | null;
  readonly on_duty: boolean | null;
  readonly scope: string | null;
  readonly status: string | null;
  readonly session_user_id: string | null;
  readonly callback_user_id: string | null;
}

const CHATS_MAX = 16;
const number = (value: number | null): number | null => (value === null ? null : Number(value));

/** The outgoing queue of the bot, in order per chat. */
export class SendStore {
  readonly #database: Database;
  readonly #botId: number;

  readonly #limits: SendLimits;

  constructor(database: Database, botId: number, limits: SendLimits = LIMITS) {
    this.#database = database;
    this.#botId = botId;
    this.#limits = limits;
  }

  async add(sends: readonly NewSend[], db: Database['kysely'] = this.#database.kysely): Promise<void> {
    for (const { to, content, sessionId, seq, messageId, purpose, needs = {} } of sends) {
      const { duty = false, scope = false, callbackId = null } = needs;
      await sql`INSERT INTO telegram_send (chat_id, operator_id, customer_id, session_id, seq, message_id, purpose, content,
          needs_duty, needs_scope, callback_id)
        VALUES (${to.chatId}::bigint, ${to.kind === 'operator' ? to.bindingId : null}::bigint,
          ${to.kind === 'customer' ? to.bindingId : null}::bigint, ${sessionId ?? null}::bigint, ${seq ?? null}::bigint,
          ${messageId ?? null}::bigint, ${purpose ?? 'message'}, ${storedJson(content)}::jsonb,
          ${duty}::boolean, ${scope}::boolean, ${callbackId}::bigint)`.execute(db);
    }
  }

  /**
   * The first text of each chat, if it is due; a later one never overtakes it. `busy`: chats that are being sent to.
   */
  async due(busy: readonly number[]): Promise<DueSend[]> {
    const result = await sql<SendRow>`
      SELECT h.id, h.chat_id, h.operator_id, o.user_id, h.customer_id, h.session_id, h.seq, h.message_id, h.callback_id, h.purpose,
             h.content, h.sending_at IS NOT NULL AS maybe_sent, h.attempts, h.left_out, COALESCE(o.locale, c.locale) AS locale
        FROM (SELECT DISTINCT ON (chat_id) * FROM telegram_send WHERE chat_id <> ALL (${busy}::bigint[]) ORDER BY chat_id, id) h
        LEFT JOIN operator_telegram o ON o.id = h.operator_id
        LEFT JOIN customer_telegram c ON c.id = h.customer_id
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
      callbackId: number(row.callback_id),
      purpose: row.purpose,
      content:
        row.left_out > 0
          ? { kind: 'text', text: textsFor(row.locale).leftOut(row.left_out) }
          : contentSchema.parse(row.content),
      maybeSent: row.maybe_sent,
      attempts: row.attempts,
    }));
  }

  /** Marks it as being sent, and returns whether that is allowed: current duty and scope count. */
  async begin(id: number): Promise<Verdict> {
    const result = await sql<JudgedRow>`
      WITH begun AS (UPDATE telegram_send SET sending_at = clock_timestamp(), attempts = attempts + 1
                      WHERE id = ${id}::bigint RETURNING *)
      SELECT b.needs_duty, b.needs_scope, b.callback_id IS NOT NULL AS has_callback, t.user_id, t.on_duty,
             COALESCE(a.scope, t.scope) AS scope, o.status, s.assigned_user_id AS session_user_id,
             c.assigned_user_id AS callback_user_id
        FROM begun b
        LEFT JOIN operator_telegram t ON t.id = b.operator_id
        LEFT JOIN auth_operator a ON a.id = t.user_id
        LEFT JOIN chat_operator o ON o.id = t.user_id
        LEFT JOIN chat_session s ON s.id = b.session_id
        LEFT JOIN chat_callback c ON c.id = b.callback_id`.execute(this.#database.kysely);
    const [row] = result.rows;
    return row === undefined ? 'gone' : verdictOf(row);
  }

  /**
   * Trims the queue. Messages that are too old, or too many for one chat, are replaced by one message with their
   * number. Messages that are being sent are left alone. Returns how many were dropped.
   */
  async leaveOut(): Promise<number> {
    const { rows, hours } = this.#limits;
    const result = await sql<{ left_out: number }>`
      WITH queued AS (
        SELECT id, chat_id, left_out, created_at, row_number() OVER (PARTITION BY chat_id ORDER BY id DESC) AS place
          FROM telegram_send WHERE sending_at IS NULL),
      beyond AS (
        SELECT chat_id, min(id) AS first_id, array_agg(id) AS ids, sum(GREATEST(left_out, 1)) AS count,
               count(*) FILTER (WHERE left_out = 0) AS fresh
          FROM queued WHERE place > ${rows}::integer OR created_at < clock_timestamp() - make_interval(hours => ${hours}::integer)
         GROUP BY chat_id HAVING count(*) FILTER (WHERE left_out = 0) > 0),
      gone AS (
        DELETE FROM telegram_send s USING beyond b WHERE s.chat_id = b.chat_id AND s.id = ANY (b.ids) AND s.id <> b.first_id),
      said AS (
        UPDATE telegram_send s SET left_out = b.count, content = '{"kind":"text","text":""}', session_id = NULL, seq = NULL,
               message_id = NULL, purpose = 'message', needs_duty = false, needs_scope = false, callback_id = NULL
          FROM beyond b WHERE s.id = b.first_id)
      SELECT COALESCE(sum(fresh), 0) AS left_out FROM beyond`.execute(this.#database.kysely);
    return Number(result.rows[0]?.left_out ?? 0);
  }

  /** Replaces the text by a line that says so. */
  async leaveOutOne(id: number): Promise<void> {
    await sql`UPDATE telegram_send SET sending_at = NULL, due_at = clock_timestamp(), left_out = 1,
        content = '{"kind":"text","text":""}', session_id = NULL, seq = NULL, message_id = NULL, purpose = 'message',
        needs_duty = false, needs_scope = false, callback_id = NULL
      WHERE id = ${id}::bigint`.execute(this.#database.kysely);
  }

  /** Deletes the sent text, and stores its ids in Telegram and the mark for chat-service in the same transaction. */
  async sent(send: DueSend, telegramIds: readonly number[]): Promise<void> {
    await this.#database.kysely.transaction().execute(async (trx) => {
      await sql`DELETE FROM telegram_send WHERE id = ${send.id}::bigint`.execute(trx);
      await addMark(trx, send);
      await toldCallback(trx, send);
      if (send.sessionId === null) return;
      for (const id of telegramIds)
        await remember(trx, this.#botId, { ...send, sessionId: send.sessionId, telegramId: id });
    });
  }

  async postpone(id: number, seconds: number): Promise<void> {
    await sql`UPDATE telegram_send SET sending_at = NULL, due_at = clock_timestamp() + make_interval(secs => ${seconds}::float8)
      WHERE id = ${id}::bigint`.execute(this.#database.kysely);
  }

  /** Replaces the text by another one, which is due at once. */
  async replace(id: number, content: Content): Promise<void> {
    await sql`UPDATE telegram_send SET sending_at = NULL, due_at = clock_timestamp(), content = ${storedJson(content)}::jsonb
      WHERE id = ${id}::bigint`.execute(this.#database.kysely);
  }

  async drop(id: number): Promise<void> {
    await sql`DELETE FROM telegram_send WHERE id = ${id}::bigint`.execute(this.#database.kysely);
  }

  /** Nothing more is sent to an account that has blocked the bot; its texts remain in the console. */
  async dropChat(chatId: number): Promise<void> {
    await sql`DELETE FROM telegram_send WHERE chat_id = ${chatId}::bigint`.execute(this.#database.kysely);
  }

  /** Erased texts are no longer sent; they were queued before the event that erases them. */
  async dropErased(sessionId: number, erased: ErasedData, db: Database['kysely']): Promise<void> {
    const all = erased.scope === 'session';
    if (erased.kinds.includes('callbacks') && all)
      await sql`DELETE FROM telegram_send WHERE session_id = ${sessionId}::bigint AND callback_id IS NOT NULL`.execute(
        db,
      );
    if (!erased.kinds.includes('messages')) return;
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

function verdictOf(row: JudgedRow): Verdict {
  const { needs_duty: needsDuty, needs_scope: needsScope, session_user_id: owner, user_id: userId } = row;
  if (needsDuty) {
    if (row.on_duty !== true) return 'off_duty';
    // Operators who are away still answer their own chats, and are offered no new ones.
    const isNobodys = owner === null && row.callback_user_id !== userId;
    if (needsScope && isNobodys && operatorStatusSchema.parse(row.status ?? 'online') !== 'online') return 'off_duty';
  }
  if (!needsScope) return 'send';
  if (userId === null || row.scope === null) return 'gone';
  const viewer = { userId, scope: staffScopeSchema.parse(row.scope) };
  const sees = row.has_callback ? seesCallback(viewer, owner, row.callback_user_id) : seesSession(viewer, owner);
  return sees ? 'send' : 'out_of_scope';
}

/** Mail and push query this: unlike a text of a chat, it has no seq that would identify it. */
async function toldCallback(db: Database['kysely'], { operatorId, callbackId }: DueSend): Promise<void> {
  if (operatorId === null || callbackId === null) return;
  // Either may have been deleted in the meantime.
  await sql`INSERT INTO telegram_callback_told (callback_id, operator_id)
    SELECT c.id, o.id FROM chat_callback c, operator_telegram o
     WHERE c.id = ${callbackId}::bigint AND o.id = ${operatorId}::bigint
    ON CONFLICT (callback_id, operator_id) DO UPDATE SET told_at = EXCLUDED.told_at`.execute(db);
}

export interface Remembered {
  readonly chatId: number;
  readonly telegramId: number;
  readonly sessionId: number;
  readonly seq: number | null;
  readonly messageId: number | null;
  readonly purpose: string;
}

/** Message numbers in Telegram belong to one bot: another bot starts counting anew. */
export async function remember(db: Database['kysely'], botId: number, entry: Remembered): Promise<void> {
  await sql`INSERT INTO telegram_message (bot_id, chat_id, telegram_message_id, session_id, seq, message_id, purpose)
    VALUES (${botId}::bigint, ${entry.chatId}::bigint, ${entry.telegramId}::bigint, ${entry.sessionId}::bigint,
      ${entry.seq}::bigint, ${entry.messageId}::bigint, ${entry.purpose})
    ON CONFLICT (bot_id, chat_id, telegram_message_id) DO UPDATE SET session_id = EXCLUDED.session_id,
      seq = EXCLUDED.seq, message_id = EXCLUDED.message_id, purpose = EXCLUDED.purpose,
      created_at = clock_timestamp()`.execute(db);
}
