import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Database, Tables } from '@chat-realtime/database';
import type { Kysely, Transaction } from 'kysely';
import { revokeLogin } from './revocations.ts';

export interface LoginTimes {
  readonly accessTtlSeconds: number;
  readonly refreshTtlSeconds: number;
}

/** A sign-in that may go on: what the next access token is made from. */
export interface OpenLogin {
  readonly loginId: string;
  readonly operatorId: string;
  readonly refreshToken: string;
}

export type RefreshOutcome =
  | ({ readonly kind: 'rotated' } & OpenLogin)
  | { readonly kind: 'refused'; readonly reason: 'unknown' | 'expired' | 'ended' | 'reused' };

type EndReason = 'logout' | 'reuse' | 'operator';

/** An operator signs in again at least this often, however busy he is. */
const LOGIN_MAX_AGE_SECONDS = 30 * 86_400;
/** Used and expired tokens are kept a while, so that their reuse is still noticed. */
const KEEP_SECONDS = 7 * 86_400;

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function later(time: Date, seconds: number): Date {
  return new Date(time.getTime() + seconds * 1000);
}

/** Sign-ins and the chains of refresh tokens that continue them. */
export class Logins {
  readonly #db: Kysely<Tables>;
  readonly #times: LoginTimes;
  readonly #now: () => Date;

  constructor(database: Database, times: LoginTimes, now: () => Date) {
    this.#db = database.kysely;
    this.#times = times;
    this.#now = now;
  }

  async open(operatorId: string): Promise<OpenLogin> {
    const loginId = randomUUID();
    const refreshToken = await this.#db.transaction().execute(async (transaction) => {
      await transaction
        .insertInto('auth_login')
        .values({ id: loginId, operator_id: operatorId, created_at: this.#now() })
        .execute();
      return this.#issue(transaction, loginId);
    });
    return { loginId, operatorId, refreshToken };
  }

  /**
   * Uses a refresh token up and gives the next. A token that comes a second time means that two hold it, and nobody can
   * say which is the thief: the whole sign-in ends. There is no grace for two tabs that refresh at the same moment,
   * since a thief who is quick would have the same grace; clients refresh from one tab, or under a lock of their own.
   */
  async refresh(refreshToken: string): Promise<RefreshOutcome> {
    const tokenHash = hashToken(refreshToken);
    return this.#db.transaction().execute(async (transaction) => {
      const now = this.#now();
      const token = await transaction
        .selectFrom('auth_refresh_token')
        .select(['login_id', 'expires_at'])
        .where('token_hash', '=', tokenHash)
        .executeTakeFirst();
      if (token === undefined) return { kind: 'refused', reason: 'unknown' };
      // The sign-in is the lock of its chain: of two refreshes at once the second sees the first one's mark.
      const login = await transaction
        .selectFrom('auth_login')
        .select(['operator_id', 'created_at', 'ended_at'])
        .where('id', '=', token.login_id)
        .forUpdate()
        .executeTakeFirstOrThrow();
      if (login.ended_at !== null) return { kind: 'refused', reason: 'ended' };
      if (now >= token.expires_at || now >= later(login.created_at, LOGIN_MAX_AGE_SECONDS)) {
        return { kind: 'refused', reason: 'expired' };
      }
      const used = await transaction
        .updateTable('auth_refresh_token')
        .set({ used_at: now })
        .where('token_hash', '=', tokenHash)
        .where('used_at', 'is', null)
        .executeTakeFirst();
      if (used.numUpdatedRows === 0n) {
        await this.#end(transaction, token.login_id, 'reuse');
        return { kind: 'refused', reason: 'reused' };
      }
      const next = await this.#issue(transaction, token.login_id);
      return { kind: 'rotated', loginId: token.login_id, operatorId: login.operator_id, refreshToken: next };
    });
  }

  /** Ends a sign-in: refresh tokens and access tokens alike. Repeating it changes nothing. */
  async end(loginId: string, reason: EndReason): Promise<void> {
    await this.#db.transaction().execute((transaction) => this.#end(transaction, loginId, reason));
  }

  /** Forgets sign-ins that cannot be continued any more. */
  async prune(): Promise<void> {
    const before = later(this.#now(), -KEEP_SECONDS);
    await this.#db.deleteFrom('auth_refresh_token').where('expires_at', '<', before).execute();
    await this.#db
      .deleteFrom('auth_login')
      .where('created_at', '<', before)
      .where('id', 'not in', this.#db.selectFrom('auth_refresh_token').select('login_id'))
      .execute();
  }

  async #end(transaction: Transaction<Tables>, loginId: string, reason: EndReason): Promise<void> {
    const now = this.#now();
    const ended = await transaction
      .updateTable('auth_login')
      .set({ ended_at: now, end_reason: reason })
      .where('id', '=', loginId)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    if (ended.numUpdatedRows > 0n) await revokeLogin(transaction, loginId, now, this.#times.accessTtlSeconds);
  }

  async #issue(transaction: Transaction<Tables>, loginId: string): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const now = this.#now();
    await transaction
      .insertInto('auth_refresh_token')
      .values({
        token_hash: hashToken(token),
        login_id: loginId,
        created_at: now,
        expires_at: later(now, this.#times.refreshTtlSeconds),
      })
      .execute();
    return token;
  }
}
