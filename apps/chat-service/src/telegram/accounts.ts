import type { KeyObject } from 'node:crypto';
import type { Database } from '@chat-realtime/database';
import {
  ChatError,
  type StaffScope,
  TELEGRAM_CODE_SECONDS,
  type TelegramBindingResponse,
  type TelegramBotRequest,
  type TelegramCodeResponse,
  type TelegramLinkResponse,
  type TelegramUser,
} from '@chat-realtime/protocol';
import { RateLimiter } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import type { StaffActor } from '../actors.ts';
import { translated } from '../storage/errors.ts';
import { hashCode, loginAddress, newLinkCode, newLoginCode, normalCode, startAddress } from './codes.ts';

/** Wrong codes an account may send in the lifetime of a code. */
const ATTEMPTS = 5;

/** How long the bot counts as running after its last heartbeat. */
export const BOT_ALIVE_SECONDS = 120;

export type Redeemed =
  | { readonly kind: 'operator'; readonly userId: string; readonly name: string | null }
  /** `linkedMessageId`: the newest message of the chat at that moment; 0 = none. */
  | { readonly kind: 'customer'; readonly sessionId: number; readonly linkedMessageId: number }
  /** A customer's link, opened with an operator's account; it can still be used. */
  | { readonly kind: 'is_operator' }
  | { readonly kind: 'unknown_code' }
  | { readonly kind: 'too_many' };

interface CodeRow {
  readonly user_id: string | null;
  readonly user_name: string | null;
  readonly role: string | null;
  readonly scope: string | null;
  readonly session_id: number | null;
}

type Transaction = Database['kysely'];

/** Accounts in Telegram: one-time codes, and the bindings made with them. */
export class TelegramAccounts {
  readonly #database: Database;
  readonly #secret: string | KeyObject;
  readonly #attempts = new RateLimiter(ATTEMPTS, TELEGRAM_CODE_SECONDS);

  constructor(database: Database, secret: string | KeyObject) {
    this.#database = database;
    this.#secret = secret;
  }

  async introduce({ bot_id, username }: TelegramBotRequest): Promise<void> {
    await translated(() =>
      sql`INSERT INTO telegram_bot (bot_id, username) VALUES (${bot_id}::bigint, ${username})
        ON CONFLICT (only_one) DO UPDATE SET bot_id = EXCLUDED.bot_id, username = EXCLUDED.username, seen_at = clock_timestamp()`.execute(
        this.#database.kysely,
      ),
    );
  }

  /** Voids the operator's earlier code. */
  async loginCode(actor: StaffActor): Promise<TelegramCodeResponse> {
    const code = newLoginCode();
    const expiresAt = await translated(async () => {
      await this.#forgetExpired();
      const made = await sql<{ expires_at: Date }>`
        INSERT INTO telegram_code (hash, user_id, user_name, role, scope, expires_at)
        VALUES (${hashCode(this.#secret, code)}, ${actor.userId}, ${actor.name}, ${actor.role}, ${actor.scope}, ${expiry()})
        ON CONFLICT (user_id) DO UPDATE SET hash = EXCLUDED.hash, user_name = EXCLUDED.user_name, role = EXCLUDED.role,
          scope = EXCLUDED.scope, expires_at = EXCLUDED.expires_at
        RETURNING expires_at`.execute(this.#database.kysely);
      return onlyRow(made.rows).expires_at;
    });
    const bot = await this.#bot();
    return {
      code,
      expires_at: expiresAt.toISOString(),
      url: bot === null ? null : loginAddress(bot, code),
    };
  }

  /** Voids the session's earlier link. @throws ChatError `not_found` if there is no bot */
  async link(sessionId: number): Promise<TelegramLinkResponse> {
    const bot = await this.#bot();
    if (bot === null) throw new ChatError('not_found', 'this chat has no Telegram bot');
    const code = newLinkCode();
    const expiresAt = await translated(async () => {
      await this.#forgetExpired();
      const made = await sql<{ expires_at: Date }>`
        INSERT INTO telegram_code (hash, session_id, expires_at)
        VALUES (${hashCode(this.#secret, code)}, ${sessionId}::bigint, ${expiry()})
        ON CONFLICT (session_id) DO UPDATE SET hash = EXCLUDED.hash, expires_at = EXCLUDED.expires_at
        RETURNING expires_at`.execute(this.#database.kysely);
      return onlyRow(made.rows).expires_at;
    });
    return { url: startAddress(bot, code), expires_at: expiresAt.toISOString() };
  }

  /**
   * Uses a code up and binds the account, in one transaction, so that only one of two senders is bound. The account
   * that was bound may send the code again: a bot that was killed before it got the answer does so.
   */
  async redeem(text: string, user: TelegramUser): Promise<Redeemed> {
    const key = String(user.id);
    if (!(await this.#attempts.check(key)).ok) return { kind: 'too_many' };
    const hash = hashCode(this.#secret, normalCode(text));
    const redeemed = await translated(() =>
      this.#database.kysely.transaction().execute(async (trx): Promise<Redeemed> => {
        if (await isForOperator(hash, user.id, trx)) return { kind: 'is_operator' };
        const used = await sql<CodeRow>`
          DELETE FROM telegram_code WHERE hash = ${hash} AND expires_at > clock_timestamp()
          RETURNING user_id, user_name, role, scope, session_id`.execute(trx);
        const [row] = used.rows;
        if (row === undefined) return (await boundBy(hash, user.id, trx)) ?? { kind: 'unknown_code' };
        return row.session_id === null
          ? bindOperator(row, hash, user, trx)
          : bindCustomer(row.session_id, hash, user, trx);
      }),
    );
    if (redeemed.kind === 'unknown_code') await this.#attempts.consume(key);
    else await this.#attempts.reset(key);
    return redeemed;
  }

  async binding(actor: StaffActor): Promise<TelegramBindingResponse> {
    const row = await translated(() =>
      this.#database.kysely
        .selectFrom('operator_telegram')
        .selectAll()
        .where('user_id', '=', actor.userId)
        .executeTakeFirst(),
    );
    const account =
      row === undefined
        ? null
        : {
            telegram_user_id: row.telegram_user_id,
            username: row.username,
            name: row.name,
            on_duty: row.on_duty,
            bound_at: row.bound_at.toISOString(),
            blocked_at: row.blocked_at?.toISOString() ?? null,
          };
    return { bound: account !== null, account, bot: await this.#bot() };
  }

  /** The binding is deleted with the unused code and every unsent text. */
  async unbind(userId: string): Promise<void> {
    await translated(async () => {
      await this.#database.kysely.deleteFrom('telegram_code').where('user_id', '=', userId).execute();
      await this.#database.kysely.deleteFrom('operator_telegram').where('user_id', '=', userId).execute();
    });
  }

  /** The operator behind a Telegram account, with the rights they have now. @throws ChatError `forbidden` */
  async operator(telegramUserId: number): Promise<StaffActor> {
    const found = await translated(() =>
      sql<{ user_id: string; name: string | null; role: string; scope: StaffScope }>`
        SELECT t.user_id, COALESCE(a.name, o.name, t.user_name) AS name, COALESCE(a.role, t.role) AS role,
               COALESCE(a.scope, t.scope) AS scope
          FROM operator_telegram t
          LEFT JOIN auth_operator a ON a.id = t.user_id
          LEFT JOIN chat_operator o ON o.id = t.user_id
         WHERE t.telegram_user_id = ${telegramUserId}::bigint AND COALESCE(a.active, true)`.execute(
        this.#database.kysely,
      ),
    );
    const [row] = found.rows;
    if (row === undefined) throw new ChatError('forbidden', 'this Telegram account is not linked to an operator');
    const role = row.role === 'admin' ? ('admin' as const) : ('operator' as const);
    return { kind: 'staff', userId: row.user_id, name: row.name, role, scope: row.scope };
  }

  async setDuty(userId: string, onDuty: boolean): Promise<void> {
    await translated(() =>
      this.#database.kysely
        .updateTable('operator_telegram')
        .set({ on_duty: onDuty })
        .where('user_id', '=', userId)
        .execute(),
    );
  }

  async setBlocked(telegramUserId: number, blocked: boolean): Promise<void> {
    const at = blocked ? sql<Date>`COALESCE(blocked_at, clock_timestamp())` : null;
    await translated(async () => {
      for (const table of ['operator_telegram', 'customer_telegram'] as const) {
        await this.#database.kysely
          .updateTable(table)
          .set({ blocked_at: at })
          .where('telegram_user_id', '=', telegramUserId)
          .execute();
      }
    });
  }

  /** Whether a customer can take their chat to the bot: there is one, and it is running. */
  async hasBot(): Promise<boolean> {
    const { rows } = await translated(() =>
      sql<{ runs: boolean }>`SELECT EXISTS (SELECT 1 FROM telegram_bot
        WHERE seen_at > clock_timestamp() - make_interval(secs => ${BOT_ALIVE_SECONDS}::float8)) AS runs`.execute(
        this.#database.kysely,
      ),
    );
    return rows[0]?.runs === true;
  }

  async #bot(): Promise<string | null> {
    const row = await translated(() =>
      this.#database.kysely.selectFrom('telegram_bot').select('username').executeTakeFirst(),
    );
    return row?.username ?? null;
  }

  async #forgetExpired(): Promise<void> {
    await sql`DELETE FROM telegram_code WHERE expires_at <= now()`.execute(this.#database.kysely);
    await sql`DELETE FROM telegram_request WHERE created_at < now() - interval '3 days'`.execute(this.#database.kysely);
  }
}

function expiry() {
  return sql`clock_timestamp() + make_interval(secs => ${TELEGRAM_CODE_SECONDS}::float8)`;
}

function onlyRow<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error('a statement that always answers a row answered none');
  return row;
}

async function bindOperator(row: CodeRow, hash: string, user: TelegramUser, trx: Transaction): Promise<Redeemed> {
  const { user_id: userId, user_name: name } = row;
  if (userId === null) throw new Error('a code of nobody');
  await sql`DELETE FROM operator_telegram WHERE telegram_user_id = ${user.id}::bigint OR user_id = ${userId}`.execute(
    trx,
  );
  // An account is either a customer's or an operator's: texts it got as a customer can no longer be answered as one.
  await sql`DELETE FROM customer_telegram WHERE telegram_user_id = ${user.id}::bigint`.execute(trx);
  await sql`DELETE FROM telegram_message WHERE chat_id = ${user.id}::bigint`.execute(trx);
  await sql`INSERT INTO operator_telegram (user_id, user_name, role, scope, telegram_user_id, username, name, locale, code_hash)
    VALUES (${userId}, ${name}, ${row.role}, ${row.scope}, ${user.id}::bigint, ${user.username}, ${user.name},
      ${user.locale}, ${hash})`.execute(trx);
  return { kind: 'operator', userId, name };
}

/** An operator's reply would go to their chat as a customer, or to a customer's: nobody could tell which. */
async function isForOperator(hash: string, telegramUserId: number, trx: Transaction): Promise<boolean> {
  const found =
    await sql`SELECT 1 FROM telegram_code c JOIN operator_telegram t ON t.telegram_user_id = ${telegramUserId}::bigint
    WHERE c.hash = ${hash} AND c.session_id IS NOT NULL AND c.expires_at > clock_timestamp()`.execute(trx);
  return found.rows.length > 0;
}

/** The session's row is locked, as for every event: the chat's newest message is known exactly. */
async function bindCustomer(sessionId: number, hash: string, user: TelegramUser, trx: Transaction): Promise<Redeemed> {
  const { last_seq: lastSeq, last_message_id: linkedMessageId } = await trx
    .selectFrom('chat_session')
    .select(['last_seq', 'last_message_id'])
    .where('id', '=', sessionId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  await sql`DELETE FROM customer_telegram WHERE telegram_user_id = ${user.id}::bigint OR session_id = ${sessionId}::bigint`.execute(
    trx,
  );
  await sql`INSERT INTO customer_telegram (session_id, telegram_user_id, locale, linked_seq, linked_message_id, code_hash)
    VALUES (${sessionId}::bigint, ${user.id}::bigint, ${user.locale}, ${lastSeq}::bigint, ${linkedMessageId}::bigint,
      ${hash})`.execute(trx);
  return { kind: 'customer', sessionId, linkedMessageId };
}

async function boundBy(hash: string, telegramUserId: number, trx: Transaction): Promise<Redeemed | undefined> {
  const customer = await trx
    .selectFrom('customer_telegram')
    .select(['session_id', 'linked_message_id'])
    .where('telegram_user_id', '=', telegramUserId)
    .where('code_hash', '=', hash)
    .executeTakeFirst();
  if (customer !== undefined)
    return { kind: 'customer', sessionId: customer.session_id, linkedMessageId: customer.linked_message_id };
  const operator = await trx
    .selectFrom('operator_telegram')
    .select(['user_id', 'user_name'])
    .where('telegram_user_id', '=', telegramUserId)
    .where('code_hash', '=', hash)
    .executeTakeFirst();
  return operator === undefined ? undefined : { kind: 'operator', userId: operator.user_id, name: operator.user_name };
}
