import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Database, Tables } from '@chat-realtime/database';
import type { Kysely, Transaction } from 'kysely';
import type { Operator } from '../domain/operator.ts';
import { type Credentials, lockOperator } from './operators.ts';
import { takeCode } from './second-factor.ts';
import { firstUnrevoked, revokeLogin } from './revocations.ts';

export interface LoginTimes {
  readonly accessTtlSeconds: number;
  readonly refreshTtlSeconds: number;
}

/** A sign-in that may continue: the basis of the next access token. */
export interface OpenLogin {
  readonly loginId: string;
  /** As they were under the lock; a later change of them ends this sign-in. */
  readonly operator: Operator;
  /**
   * Taken under that lock: the revocation of a later change covers the access token, that of an earlier one does not.
   */
  readonly issuedAt: Date;
  readonly refreshToken: string;
}

/** `refused`: the password or the state changed in the meantime. */
export type OpenOutcome =
  | ({ readonly kind: 'opened' } & OpenLogin)
  | { readonly kind: 'refused' | 'code_missing' | 'code_wrong' };

/** The proof: a password, with a code if the account requires one, or a ticket of the identity provider. */
export type Shown = { readonly by: 'password'; readonly code: string | undefined } | { readonly by: 'oidc' };

export type RefreshOutcome =
  | ({ readonly kind: 'rotated' } & OpenLogin)
  | { readonly kind: 'refused'; readonly reason: 'unknown' | 'expired' | 'ended' | 'reused' };

type EndReason = 'logout' | 'reuse' | 'operator';

/** For this long a used token is answered again, with the same successor. */
const REPEAT_SECONDS = 30;
/** An operator signs in again at least this often, however busy they are. */
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
  readonly #successorKey: Buffer;
  readonly #now: () => Date;

  constructor(database: Database, times: LoginTimes, successorKey: Buffer, now: () => Date) {
    this.#db = database.kysely;
    this.#times = times;
    this.#successorKey = successorKey;
    this.#now = now;
  }

  /**
   * Begins a sign-in for a person whose `checked` proof was valid. The password was checked outside this transaction,
   * so the row is locked and compared again: `refused` if password or state changed in the meantime. A later change
   * finds the sign-in and ends it. The identity provider is responsible for its own second factor.
   */
  async open(checked: Credentials, shown: Shown): Promise<OpenOutcome> {
    const outcome = await this.#db.transaction().execute(async (transaction): Promise<OpenOutcome> => {
      const found = await lockOperator(transaction, checked.operator.id);
      if (found === undefined || !found.operator.active || found.passwordHash !== checked.passwordHash)
        return { kind: 'refused' };
      const { operator } = found;
      const now = this.#now();
      const code = shown.by === 'oidc' ? 'none' : await takeCode(transaction, operator.id, shown.code, now);
      if (code === 'missing') return { kind: 'code_missing' };
      if (code === 'wrong') return { kind: 'code_wrong' };
      const loginId = randomUUID();
      await transaction
        .insertInto('auth_login')
        .values({
          id: loginId,
          operator_id: operator.id,
          created_at: now,
          ...(code === 'passed' ? { proved_at: now } : {}),
        })
        .execute();
      const refreshToken = randomBytes(32).toString('base64url');
      await this.#store(transaction, loginId, refreshToken, now);
      const issuedAt = await firstUnrevoked(transaction, operator.id, now);
      return { kind: 'opened', loginId, operator, issuedAt, refreshToken };
    });
    // Not in the transaction, whose lock on the operator other sign-ins of theirs share.
    if (outcome.kind === 'opened') await this.#joined(outcome.operator.id);
    return outcome;
  }

  /**
   * Uses a refresh token up and returns its successor. The successor is derived from the token and a key of the server,
   * so that a client whose answer was lost gets the same one again: for 30 s, and only while nobody has used it. Once
   * it has been used, two parties hold the chain and nobody can say which is the thief: any older token ends the whole
   * sign-in.
   */
  async refresh(refreshToken: string): Promise<RefreshOutcome> {
    const tokenHash = hashToken(refreshToken);
    return this.#db.transaction().execute(async (transaction) => {
      const known = await transaction
        .selectFrom('auth_refresh_token as t')
        .innerJoin('auth_login as l', 'l.id', 't.login_id')
        .select(['t.login_id', 'l.operator_id'])
        .where('t.token_hash', '=', tokenHash)
        .executeTakeFirst();
      if (known === undefined) return { kind: 'refused', reason: 'unknown' };
      // The operator is locked first, as in a change of them; then the sign-in, which is the lock of its chain.
      const found = await lockOperator(transaction, known.operator_id);
      const login = await transaction
        .selectFrom('auth_login')
        .select(['created_at', 'ended_at'])
        .where('id', '=', known.login_id)
        .forUpdate()
        .executeTakeFirst();
      const token = await readToken(transaction, tokenHash);
      if (login === undefined || token === undefined) return { kind: 'refused', reason: 'unknown' };
      if (login.ended_at !== null || found?.operator.active !== true) return { kind: 'refused', reason: 'ended' };
      const now = this.#now();
      const successor = this.#successor(refreshToken);
      const rotated = {
        kind: 'rotated',
        loginId: known.login_id,
        operator: found.operator,
        issuedAt: await firstUnrevoked(transaction, known.operator_id, now),
        refreshToken: successor,
      } as const;
      if (now >= later(login.created_at, LOGIN_MAX_AGE_SECONDS)) return { kind: 'refused', reason: 'expired' };
      if (token.used_at !== null) {
        const next = await readToken(transaction, hashToken(successor));
        const isRepeat = next?.used_at === null && now <= later(token.used_at, REPEAT_SECONDS);
        if (isRepeat && now < next.expires_at) return rotated;
        await this.#end(transaction, known.login_id, 'reuse');
        return { kind: 'refused', reason: 'reused' };
      }
      if (now >= token.expires_at) return { kind: 'refused', reason: 'expired' };
      await transaction
        .updateTable('auth_refresh_token')
        .set({ used_at: now })
        .where('token_hash', '=', tokenHash)
        .execute();
      await this.#store(transaction, known.login_id, successor, now);
      return rotated;
    });
  }

  /** Ends a sign-in: refresh tokens and access tokens alike. Repeating it changes nothing. */
  async end(loginId: string, reason: EndReason): Promise<void> {
    await this.#db.transaction().execute((transaction) => this.#end(transaction, loginId, reason));
  }

  /** Deletes sign-ins that can no longer be continued. */
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

  /** Records once that somebody has joined with this account. */
  async #joined(operatorId: string): Promise<void> {
    await this.#db
      .updateTable('auth_operator')
      .set({ joined_at: this.#now() })
      .where('id', '=', operatorId)
      .where('joined_at', 'is', null)
      .execute();
  }

  #successor(refreshToken: string): string {
    return createHmac('sha256', this.#successorKey).update(`chat-refresh\n${refreshToken}`).digest('base64url');
  }

  async #store(transaction: Transaction<Tables>, loginId: string, token: string, now: Date): Promise<void> {
    await transaction
      .insertInto('auth_refresh_token')
      .values({
        token_hash: hashToken(token),
        login_id: loginId,
        created_at: now,
        expires_at: later(now, this.#times.refreshTtlSeconds),
      })
      .execute();
  }
}

function readToken(transaction: Transaction<Tables>, tokenHash: string) {
  return transaction
    .selectFrom('auth_refresh_token')
    .select(['expires_at', 'used_at'])
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst();
}
