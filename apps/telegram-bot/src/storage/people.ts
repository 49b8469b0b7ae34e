import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@chat-realtime/database';
import {
  type OperatorStatus,
  operatorStatusSchema,
  shortened,
  type StaffScope,
  staffScopeSchema,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { KnownMessage } from '../domain/recognise-message.ts';

/** How long Telegram may take to return the number of a message that it already shows. */
const NUMBERED_WITHIN_MS = 4_000;
const LOOK_MS = 100;
/** Of a message that is sent again. */
const SHOWN_MAX = 1_000;

type Db = Database['kysely'];

/** A bound operator. */
export interface BoundOperator {
  readonly bindingId: number;
  readonly userId: string;
  readonly name: string | null;
  readonly chatId: number;
  readonly scope: StaffScope;
  readonly locale: string | null;
  readonly onDuty: boolean;
  readonly status: OperatorStatus;
}

export interface BoundCustomer {
  readonly bindingId: number;
  readonly chatId: number;
  readonly sessionId: number;
  readonly locale: string | null;
  /** Events up to this one were sent with the link. */
  readonly linkedSeq: number;
}

export interface SessionSummary {
  readonly assignedUserId: string | null;
  readonly name: string | null;
  readonly status: string;
}

interface OperatorRow {
  readonly id: number;
  readonly user_id: string;
  readonly name: string | null;
  readonly telegram_user_id: number;
  readonly scope: string;
  readonly locale: string | null;
  readonly on_duty: boolean;
  readonly status: string | null;
}
interface CustomerRow {
  readonly id: number;
  readonly telegram_user_id: number;
  readonly session_id: number;
  readonly locale: string | null;
  readonly linked_seq: number;
}

const OPERATORS = sql`
  SELECT t.id, t.user_id, COALESCE(a.name, o.name, t.user_name) AS name, t.telegram_user_id,
         COALESCE(a.scope, t.scope) AS scope, t.locale, t.on_duty, o.status
    FROM operator_telegram t
    LEFT JOIN auth_operator a ON a.id = t.user_id
    LEFT JOIN chat_operator o ON o.id = t.user_id
   WHERE COALESCE(a.active, true)`;

/**
 * Reads accounts, duty and assignments from the tables that chat-service writes. A removed link, an ended duty and a
 * transferred chat take effect at once, and steady work needs no request.
 */
export class People {
  readonly #database: Database;
  readonly #botId: number;
  readonly #siteZone: string | undefined;

  /** `siteZone`: the zone set in the environment, which takes precedence over the saved one. */
  constructor(database: Database, botId: number, siteZone?: string) {
    this.#database = database;
    this.#botId = botId;
    this.#siteZone = siteZone;
  }

  /** Those on duty whom Telegram reaches. */
  async onDuty(db: Database['kysely'] = this.#database.kysely): Promise<BoundOperator[]> {
    const result = await sql<OperatorRow>`${OPERATORS} AND t.on_duty AND t.blocked_at IS NULL ORDER BY t.id`.execute(
      db,
    );
    return result.rows.map(operatorOf);
  }

  /** An operator's name; null if it is unknown. An id is not a name. */
  async nameOf(userId: string | null, db: Db = this.#database.kysely): Promise<string | null> {
    if (userId === null) return null;
    const result = await sql<{ name: string | null }>`
      SELECT COALESCE((SELECT name FROM auth_operator WHERE id = ${userId}), (SELECT name FROM chat_operator WHERE id = ${userId}),
                      (SELECT user_name FROM operator_telegram WHERE user_id = ${userId})) AS name`.execute(db);
    return result.rows[0]?.name ?? null;
  }

  /** The time zone of an operator: their own, if they have chosen one with their quiet hours, else the site's. */
  async zones(db: Db = this.#database.kysely): Promise<(userId: string) => string> {
    const own = await sql<{ user_id: string; zone: string | null }>`
      SELECT n.user_id, n.value->'quiet'->>'timezone' AS zone FROM notify_setting n
        JOIN operator_telegram t ON t.user_id = n.user_id`.execute(db);
    const saved = await sql<{ zone: string | null }>`
      SELECT value->'rule'->>'timezone' AS zone FROM widget_setting WHERE name = 'schedule'`.execute(db);
    const site = this.#siteZone ?? saved.rows[0]?.zone ?? 'UTC';
    const zoneOf = new Map(own.rows.map(({ user_id: id, zone }) => [id, zone]));
    return (userId) => zoneOf.get(userId) ?? site;
  }

  /** Mail and push rely on Telegram as long as this is recent. */
  async botRuns(): Promise<void> {
    await sql`UPDATE telegram_bot SET seen_at = clock_timestamp() WHERE bot_id = ${this.#botId}::bigint`.execute(
      this.#database.kysely,
    );
  }

  async operator(telegramUserId: number): Promise<BoundOperator | undefined> {
    const result = await sql<OperatorRow>`${OPERATORS} AND t.telegram_user_id = ${telegramUserId}::bigint`.execute(
      this.#database.kysely,
    );
    return result.rows.map(operatorOf)[0];
  }

  /** Whether Telegram has refused texts for this account, as far as is known. */
  async isBlocked(telegramUserId: number): Promise<boolean> {
    const result = await sql<{ blocked: boolean }>`
      SELECT EXISTS (SELECT 1 FROM operator_telegram WHERE telegram_user_id = ${telegramUserId}::bigint AND blocked_at IS NOT NULL)
          OR EXISTS (SELECT 1 FROM customer_telegram WHERE telegram_user_id = ${telegramUserId}::bigint AND blocked_at IS NOT NULL)
          AS blocked`.execute(this.#database.kysely);
    return result.rows[0]?.blocked === true;
  }

  /** All accounts that are bound to an operator. */
  async accounts(): Promise<number[]> {
    const result = await sql<{ telegram_user_id: number }>`
      SELECT telegram_user_id FROM operator_telegram WHERE blocked_at IS NULL ORDER BY id`.execute(
      this.#database.kysely,
    );
    return result.rows.map(({ telegram_user_id: id }) => Number(id));
  }

  async customer(telegramUserId: number): Promise<BoundCustomer | undefined> {
    const result = await sql<CustomerRow>`
      SELECT id, telegram_user_id, session_id, locale, linked_seq FROM customer_telegram
       WHERE telegram_user_id = ${telegramUserId}::bigint`.execute(this.#database.kysely);
    return result.rows.map(customerOf)[0];
  }

  async customerOf(sessionId: number, db: Database['kysely']): Promise<BoundCustomer | undefined> {
    const result = await sql<CustomerRow>`
      SELECT id, telegram_user_id, session_id, locale, linked_seq FROM customer_telegram
       WHERE session_id = ${sessionId}::bigint AND blocked_at IS NULL`.execute(db);
    return result.rows.map(customerOf)[0];
  }

  async session(
    sessionId: number,
    db: Database['kysely'] = this.#database.kysely,
  ): Promise<SessionSummary | undefined> {
    const row = await db
      .selectFrom('chat_session')
      .select(['assigned_user_id', 'name', 'status'])
      .where('id', '=', sessionId)
      .executeTakeFirst();
    return row === undefined ? undefined : { assignedUserId: row.assigned_user_id, name: row.name, status: row.status };
  }

  /** Who changed a callback request, if that is known, and its previous assignee. */
  async callbackChange(feedId: number, db: Db): Promise<{ by: string | null; before: string | null }> {
    const result = await sql<{ by: string | null; before: string | null }>`
      SELECT e.actor_id AS by,
             (SELECT p.data->>'assigned_user_id' FROM chat_event p
               WHERE p.type = 'chat.callback.staff' AND (p.data->>'id')::bigint = (e.data->>'id')::bigint AND p.id < e.id
               ORDER BY p.id DESC LIMIT 1) AS before
        FROM chat_event e WHERE e.id = ${feedId}::bigint`.execute(db);
    return result.rows[0] ?? { by: null, before: null };
  }

  /** The customer's last messages, as far as they fit into one text. */
  async lastOfClient(sessionId: number, db: Db): Promise<{ messageId: number; body: string } | undefined> {
    const result = await sql<{ id: number; body: string }>`
      SELECT COALESCE(message_id, id) AS id, COALESCE(body, '') AS body FROM chat_event
       WHERE session_id = ${sessionId}::bigint AND type = 'chat.message' AND sender_type = 'client'
       ORDER BY seq DESC LIMIT 1`.execute(db);
    const [row] = result.rows;
    return row === undefined ? undefined : { messageId: Number(row.id), body: shortened(row.body, SHOWN_MAX) };
  }

  /**
   * Finds the message of the bot that someone replied to. They see it before Telegram has told the bot its id, so an
   * unknown one is looked up again for a moment.
   */
  async answeredMessage(chatId: number, telegramId: number): Promise<KnownMessage | undefined> {
    const deadline = performance.now() + NUMBERED_WITHIN_MS;
    for (;;) {
      const known = await this.message(chatId, telegramId);
      if (known !== undefined || performance.now() >= deadline) return known;
      await sleep(LOOK_MS);
    }
  }

  /** The chat and event that a Telegram message belongs to. */
  async message(chatId: number, telegramId: number): Promise<KnownMessage | undefined> {
    const result = await sql<{ session_id: number; seq: number | null; message_id: number | null; purpose: string }>`
      SELECT session_id, seq, message_id, purpose FROM telegram_message
       WHERE bot_id IN (${this.#botId}::bigint, 0) AND chat_id = ${chatId}::bigint AND telegram_message_id = ${telegramId}::bigint
       ORDER BY bot_id = 0 LIMIT 1`.execute(this.#database.kysely);
    const [row] = result.rows;
    if (row === undefined) return undefined;
    return {
      sessionId: Number(row.session_id),
      seq: row.seq === null ? null : Number(row.seq),
      messageId: row.message_id === null ? null : Number(row.message_id),
      purpose: row.purpose,
    };
  }

  /** Events of a session that are queued for a chat. */
  async queued(chatId: number, sessionId: number): Promise<ReadonlySet<number>> {
    const result = await sql<{ seq: number }>`SELECT DISTINCT seq FROM telegram_send
      WHERE chat_id = ${chatId}::bigint AND session_id = ${sessionId}::bigint AND seq IS NOT NULL`.execute(
      this.#database.kysely,
    );
    return new Set(result.rows.map(({ seq }) => Number(seq)));
  }

  /** The newest event and the newest message of a session that a chat shows. */
  async shown(chatId: number, sessionId: number): Promise<{ seq: number | null; messageId: number | null }> {
    const result = await sql<{ seq: number | null; message_id: number | null }>`
      SELECT max(seq) AS seq, max(message_id) AS message_id FROM telegram_message
       WHERE bot_id IN (${this.#botId}::bigint, 0) AND chat_id = ${chatId}::bigint AND session_id = ${sessionId}::bigint`.execute(
      this.#database.kysely,
    );
    const [row] = result.rows;
    const value = (column: number | null | undefined): number | null =>
      column === null || column === undefined ? null : Number(column);
    return { seq: value(row?.seq), messageId: value(row?.message_id) };
  }
}

function operatorOf(row: OperatorRow): BoundOperator {
  return {
    bindingId: Number(row.id),
    userId: row.user_id,
    name: row.name,
    chatId: Number(row.telegram_user_id),
    scope: staffScopeSchema.parse(row.scope),
    locale: row.locale,
    onDuty: row.on_duty,
    status: operatorStatusSchema.parse(row.status ?? 'online'),
  };
}

function customerOf(row: CustomerRow): BoundCustomer {
  return {
    bindingId: Number(row.id),
    chatId: Number(row.telegram_user_id),
    sessionId: Number(row.session_id),
    locale: row.locale,
    linkedSeq: Number(row.linked_seq),
  };
}
