import { type AuthTables, type Database, recordAudit, type Tables } from '@chat-realtime/database';
import {
  ChatError,
  type NewOperator,
  type OperatorAccount,
  type OperatorInvite,
  type OperatorPatch,
} from '@chat-realtime/protocol';
import { TOKEN_MAX_LIFETIME_SECONDS } from '@chat-realtime/protocol/tokens';
import type { Kysely, Selectable, Transaction } from 'kysely';
import { normaliseLogin } from './domain/operator.ts';
import { hashPassword, unknownPasswordHash } from './domain/passwords.ts';
import type { OwnPassword } from './own-password.ts';
import type { Invites } from './storage/invites.ts';
import { changedOf, endSignIns, lastAdminIs, toOperator } from './storage/operators.ts';
import { hasSecondFactor } from './storage/second-factor.ts';
import { revokeLogin } from './storage/revocations.ts';

/** The caller, and their sign-in. */
export interface Administrator {
  readonly userId: string;
  readonly name: string | null;
  readonly loginId: string | null;
}

export interface AccountParts {
  readonly database: Database;
  readonly invites: Invites;
  readonly password: OwnPassword;
  readonly now: () => Date;
  /** After sign-ins were ended: this process refuses their tokens at once. */
  readonly ended: () => Promise<void>;
}

type Row = Selectable<AuthTables['auth_operator']>;

function account(row: Row, second_factor: boolean): OperatorAccount {
  const { id, login, name, role, scope, active, oidc_subject, created_at, updated_at } = row;
  const oidc = oidc_subject !== null;
  const times = { created_at: created_at.toISOString(), updated_at: updated_at.toISOString() };
  return { id, login, name, role, scope, active, second_factor, oidc, ...times };
}

function notFound(): ChatError {
  return new ChatError('not_found', 'no such operator');
}

/** Not for one's own account: a change that needs no password or code would be open to the holder of a stolen token. */
export function refuseOwn(by: Administrator, id: string, instead: string): void {
  if (by.userId !== id) return;
  throw new ChatError('validation_failed', `this is your own account: ${instead}`, {
    details: { fields: [{ path: 'id', message: 'is your own account' }] },
  });
}

/** Administrators' calls for the accounts of others, and everybody's call for their own password. */
export class OperatorAccounts {
  readonly #db: Kysely<Tables>;
  readonly #parts: AccountParts;

  constructor(parts: AccountParts) {
    this.#db = parts.database.kysely;
    this.#parts = parts;
  }

  async list(): Promise<OperatorAccount[]> {
    const rows = await this.#db
      .selectFrom('auth_operator')
      .selectAll()
      .where('closed_at', 'is', null)
      .orderBy('login')
      .execute();
    const confirmed = await this.#db
      .selectFrom('auth_totp')
      .select('operator_id')
      .where('confirmed_at', 'is not', null)
      .execute();
    const guarded = new Set(confirmed.map(({ operator_id }) => operator_id));
    return rows.map((row) => account(row, guarded.has(row.id)));
  }

  /** The account has a password that nobody knows, until its owner sets one with the link. */
  async add(by: Administrator, operator: NewOperator, console: string): Promise<OperatorInvite> {
    const passwordHash = await unknownPasswordHash();
    const { login, name, role, scope = 'all' } = operator;
    const row = await this.#db.transaction().execute(async (trx) => {
      const made = await trx
        .insertInto('auth_operator')
        .values({
          id: crypto.randomUUID(),
          login: normaliseLogin(login),
          name,
          role,
          scope,
          password_hash: passwordHash,
          demo: false,
        })
        .onConflict((conflict) => conflict.column('login').doNothing())
        .returningAll()
        .executeTakeFirst();
      if (made === undefined) throw new ChatError('login_taken', 'another operator has this login');
      await recordAudit(trx, {
        actor: by,
        action: 'operator.added',
        subject: `operator:${made.id}`,
        details: { role, scope },
      });
      return made;
    });
    return this.#invited(row, console);
  }

  /** Another role, scope or state ends all sign-ins of the operator: their tokens still carry the old one. */
  async change(
    by: Administrator,
    id: string,
    { expected_updated_at: expected, ...patch }: OperatorPatch,
  ): Promise<OperatorAccount> {
    const changed = await this.#db.transaction().execute(async (trx) => {
      const isLast = await lastAdminIs(trx, id);
      const known = await this.#locked(trx, id);
      if (expected !== undefined && Date.parse(expected) !== known.updated_at.getTime())
        throw new ChatError('stale', 'the account was changed since it was read', {
          details: { operator: account(known, await hasSecondFactor(trx, id)) },
        });
      const next = { ...known, ...patch };
      if (isLast && (next.role !== 'admin' || !next.active))
        throw new ChatError('last_admin', 'without this account there is no administrator left');
      const rights = (['role', 'scope', 'active'] as const).filter((field) => next[field] !== known[field]);
      // The provider does not undo an administrator's decision about an account.
      const decides = patch.active !== undefined && known.oidc_withdrawn_at !== null;
      if (rights.length === 0 && next.name === known.name && !decides) return known;
      const now = this.#parts.now();
      const row = await trx
        .updateTable('auth_operator')
        .set({
          name: next.name,
          role: next.role,
          scope: next.scope,
          active: next.active,
          updated_at: now,
          ...(decides ? { oidc_withdrawn_at: null } : {}),
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      if (!row.active) await trx.deleteFrom('auth_invite').where('operator_id', '=', id).execute();
      if (rights.length > 0) await endSignIns(trx, id, now);
      await recordAudit(trx, {
        actor: by,
        action: 'operator.changed',
        subject: `operator:${id}`,
        details: changedOf(toOperator(known), row) ?? {},
      });
      return row;
    });
    await this.#parts.ended();
    return this.#account(changed);
  }

  /** For a first password, or a forgotten one. The old one remains valid until the link is used. */
  async invite(by: Administrator, id: string, console: string): Promise<OperatorInvite> {
    refuseOwn(by, id, 'change your own password by the one you have');
    const row = await this.#db.selectFrom('auth_operator').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined || !row.active) throw notFound();
    return this.#invited(row, console, by);
  }

  /** Ends all sign-ins of an operator at once: a lost telephone, a computer left open. @throws ChatError `not_found` */
  async endSignIns(by: Administrator, id: string): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await this.#locked(trx, id);
      await endSignIns(trx, id, this.#parts.now());
      await recordAudit(trx, { actor: by, action: 'operator.signed_out', subject: `operator:${id}` });
    });
    await this.#parts.ended();
  }

  /** Ends every other sign-in of the same person; the caller's own continues. */
  async changePassword(by: Administrator, current: string, next: string): Promise<void> {
    const proved = await this.#parts.password.prove(by.userId, current);
    const passwordHash = await hashPassword(next);
    await this.#db.transaction().execute(async (trx) => {
      const row = await this.#locked(trx, by.userId);
      // Two changes at once: the second one was made with a password that is no longer valid.
      if (row.password_hash !== proved) throw new ChatError('bad_token', 'the password was changed');
      const now = this.#parts.now();
      await trx.updateTable('auth_operator').set({ password_hash: passwordHash }).where('id', '=', by.userId).execute();
      const ended = await trx
        .updateTable('auth_login')
        .set({ ended_at: now, end_reason: 'operator' })
        .where('operator_id', '=', by.userId)
        .where('ended_at', 'is', null)
        .where('id', '!=', by.loginId ?? '')
        .returning('id')
        .execute();
      for (const { id } of ended) await revokeLogin(trx, id, now, TOKEN_MAX_LIFETIME_SECONDS);
      await recordAudit(trx, { actor: by, action: 'password.changed', subject: `operator:${by.userId}` });
    });
    await this.#parts.ended();
  }

  async #account(row: Row): Promise<OperatorAccount> {
    return account(row, await hasSecondFactor(this.#db, row.id));
  }

  async #locked(trx: Transaction<Tables>, id: string): Promise<Row> {
    const row = await trx
      .selectFrom('auth_operator')
      .selectAll()
      .where('id', '=', id)
      .where('closed_at', 'is', null)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) throw notFound();
    return row;
  }

  async #invited(row: Row, console: string, by?: Administrator): Promise<OperatorInvite> {
    const { key, expiresAt } = await this.#parts.invites.forOperator(row.id, by);
    // Behind `#`: a browser sends it to no server, so no log contains it.
    return {
      operator: await this.#account(row),
      invite_url: `${console}#invite=${key}`,
      expires_at: expiresAt.toISOString(),
    };
  }
}
