import { randomUUID } from 'node:crypto';
import { type AuditEntry, type AuthTables, type Database, recordAudit, type Tables } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { TOKEN_MAX_LIFETIME_SECONDS } from '@chat-realtime/protocol/tokens';
import type { Kysely, Selectable, Transaction } from 'kysely';
import { normaliseLogin, type Operator } from '../domain/operator.ts';
import { unknownPasswordHash } from '../domain/passwords.ts';
import { revokeLogin, revokeStaff } from './revocations.ts';

export interface NewOperator {
  readonly login: string;
  readonly name: string;
  readonly role: Operator['role'];
  readonly scope?: Operator['scope'];
  readonly passwordHash: string;
  /** An account of the demo, which ends with the demo. */
  readonly demo?: boolean;
}

/** Changes that end the rights of tokens the operator already has. */
export interface OperatorChange {
  readonly role?: Operator['role'];
  readonly scope?: Operator['scope'];
  readonly active?: boolean;
  readonly passwordHash?: string;
}

export interface Credentials {
  readonly operator: Operator;
  readonly passwordHash: string;
}

export function toOperator(row: Selectable<AuthTables['auth_operator']>): Operator {
  const { id, login, name, role, scope, active } = row;
  return { id, login, name, role, scope, active };
}

/** Blocks changes of the operator until the transaction ends; their other sign-ins continue. */
export async function lockOperator(transaction: Transaction<Tables>, id: string): Promise<Credentials | undefined> {
  const row = await transaction
    .selectFrom('auth_operator')
    .selectAll()
    .where('id', '=', id)
    .forShare()
    .executeTakeFirst();
  return row === undefined ? undefined : { operator: toOperator(row), passwordHash: row.password_hash };
}

/**
 * Locks the administrators in one order, so that two who remove each other's right do not both succeed. An account that
 * nobody has used yet does not count as an administrator.
 */
export async function lastAdminIs(transaction: Transaction<Tables>, id: string): Promise<boolean> {
  const admins = await transaction
    .selectFrom('auth_operator')
    .select('id')
    .where('role', '=', 'admin')
    .where('active', '=', true)
    .where('joined_at', 'is not', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  return admins.length === 1 && admins[0]?.id === id;
}

/** The caller has locked the operator. */
export async function endSignIns(transaction: Transaction<Tables>, operatorId: string, now: Date): Promise<void> {
  const ended = await transaction
    .updateTable('auth_login')
    .set({ ended_at: now, end_reason: 'operator' })
    .where('operator_id', '=', operatorId)
    .where('ended_at', 'is', null)
    .returning('id')
    .execute();
  for (const { id } of ended) await revokeLogin(transaction, id, now, TOKEN_MAX_LIFETIME_SECONDS);
  await revokeStaff(transaction, operatorId, now);
}

/** An administrator who is not the demo's, and has joined. */
export async function hasOwnAdmin(db: Kysely<Tables>): Promise<boolean> {
  const row = await db
    .selectFrom('auth_operator')
    .select('id')
    .where('role', '=', 'admin')
    .where('active', '=', true)
    .where('demo', '=', false)
    .where('joined_at', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * The accounts of the demo end for good: nobody can sign in with them, their logins are free, and the password printed
 * in the terminal no longer works. The rows stay, since chats refer to them. `passwordHash` is that of a password
 * nobody knows.
 */
export async function closeDemo(
  transaction: Transaction<Tables>,
  clock: () => Date,
  passwordHash: string,
): Promise<void> {
  const demo = await transaction
    .selectFrom('auth_operator')
    .select(['id', 'login'])
    .where('demo', '=', true)
    .where('closed_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  // Only after the lock, as in every change of an account.
  const now = clock();
  for (const { id, login } of demo) {
    await transaction
      .updateTable('auth_operator')
      .set({
        active: false,
        login: `${login} (demo ${id})`,
        password_hash: passwordHash,
        closed_at: now,
        updated_at: now,
      })
      .where('id', '=', id)
      .execute();
    await transaction.deleteFrom('auth_invite').where('operator_id', '=', id).execute();
    await transaction.deleteFrom('auth_totp').where('operator_id', '=', id).execute();
    await endSignIns(transaction, id, now);
  }
}

const LOGGED = ['name', 'role', 'scope', 'active'] as const;

/** The changed fields of an account, for the log: the new values and the previous ones. */
export function changedOf(
  before: Operator,
  after: Pick<Operator, (typeof LOGGED)[number]>,
): Record<string, unknown> | undefined {
  const changed = LOGGED.filter((field) => after[field] !== before[field]);
  if (changed.length === 0) return undefined;
  return {
    ...Object.fromEntries(changed.map((field) => [field, after[field]])),
    before: Object.fromEntries(changed.map((field) => [field, before[field]])),
  };
}

/** An administrator with a shell on the server. */
export const SHELL: AuditEntry['actor'] = { userId: 'shell', name: null };

export class Operators {
  readonly #db: Kysely<Tables>;
  readonly #now: () => Date;

  constructor(database: Database, now: () => Date) {
    this.#db = database.kysely;
    this.#now = now;
  }

  async credentials(login: string): Promise<Credentials | undefined> {
    const query = this.#db.selectFrom('auth_operator').selectAll().where('login', '=', normaliseLogin(login));
    const row = await query.executeTakeFirst();
    return row === undefined ? undefined : { operator: toOperator(row), passwordHash: row.password_hash };
  }

  /** `oidc`: the identity provider signs them in. */
  async account(id: string): Promise<{ readonly operator: Operator; readonly oidc: boolean } | undefined> {
    const row = await this.#db.selectFrom('auth_operator').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : { operator: toOperator(row), oidc: row.oidc_subject !== null };
  }

  async byId(id: string): Promise<Operator | undefined> {
    const row = await this.#db.selectFrom('auth_operator').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : toOperator(row);
  }

  /** Without those of a demo that has ended. */
  async list(): Promise<Operator[]> {
    const rows = await this.#db
      .selectFrom('auth_operator')
      .selectAll()
      .where('closed_at', 'is', null)
      .orderBy('login')
      .execute();
    return rows.map(toOperator);
  }

  /**
   * `undefined` when the login is taken. With `by` it is recorded in the log of changes; accounts seeded at a start are
   * not.
   */
  async add(operator: NewOperator, by?: AuditEntry['actor']): Promise<Operator | undefined> {
    return this.#db.transaction().execute(async (transaction) => {
      const added = await this.#insert(transaction, operator);
      if (added === undefined || by === undefined) return added;
      const { id, role, scope } = added;
      await recordAudit(transaction, {
        actor: by,
        action: 'operator.added',
        subject: `operator:${id}`,
        details: { role, scope },
      });
      return added;
    });
  }

  async #insert(
    transaction: Transaction<Tables>,
    { login, name, role, scope = 'all', passwordHash, demo = false }: NewOperator,
  ): Promise<Operator | undefined> {
    const row = await transaction
      .insertInto('auth_operator')
      .values({
        id: randomUUID(),
        login: normaliseLogin(login),
        name,
        role,
        scope,
        password_hash: passwordHash,
        demo,
        // The caller who adds the account here knows its password.
        joined_at: this.#now(),
      })
      .onConflict((conflict) => conflict.column('login').doNothing())
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? undefined : toOperator(row);
  }

  async markDemo(login: string): Promise<void> {
    await this.#db
      .updateTable('auth_operator')
      .set({ demo: true })
      .where('login', '=', normaliseLogin(login))
      .execute();
  }

  /** Once their chat is a real one. */
  async closeDemo(): Promise<void> {
    const passwordHash = await unknownPasswordHash();
    await this.#db.transaction().execute((transaction) => closeDemo(transaction, this.#now, passwordHash));
  }

  /** Somebody can sign in with an account of the demo. */
  async hasDemo(): Promise<boolean> {
    const row = await this.#db
      .selectFrom('auth_operator')
      .select('id')
      .where('demo', '=', true)
      .where('active', '=', true)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * Every change of rights or password ends all sign-ins and revokes all tokens of the operator, since those still
   * carry the old rights. With `by` it is recorded in the log of changes.
   * @throws ChatError `not_found`
   */
  async change(login: string, change: OperatorChange, by?: AuditEntry['actor']): Promise<Operator> {
    return this.#db.transaction().execute(async (transaction) => {
      const known = await transaction
        .selectFrom('auth_operator')
        .selectAll()
        .where('login', '=', normaliseLogin(login))
        .where('closed_at', 'is', null)
        .forUpdate()
        .executeTakeFirst();
      if (known === undefined) throw new ChatError('not_found', 'no such operator');
      // Only after the lock: a token issued while this waited must not be younger than its revocation.
      const now = this.#now();
      const row = await transaction
        .updateTable('auth_operator')
        .set({
          ...(change.role === undefined ? {} : { role: change.role }),
          ...(change.scope === undefined ? {} : { scope: change.scope }),
          // The provider does not undo an administrator's decision about an account.
          ...(change.active === undefined ? {} : { active: change.active, oidc_withdrawn_at: null }),
          ...(change.passwordHash === undefined ? {} : { password_hash: change.passwordHash, joined_at: now }),
          updated_at: now,
        })
        .where('id', '=', known.id)
        .returningAll()
        .executeTakeFirstOrThrow();
      await endSignIns(transaction, row.id, now);
      if (!row.active) await transaction.deleteFrom('auth_invite').where('operator_id', '=', row.id).execute();
      if (by !== undefined) await recordChange(transaction, by, toOperator(known), toOperator(row), change);
      return toOperator(row);
    });
  }

  /** For the last administrator who has lost it: someone with a shell on the server. @throws ChatError `not_found` */
  async removeSecondFactor(login: string): Promise<Operator> {
    return this.#db.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom('auth_operator')
        .selectAll()
        .where('login', '=', normaliseLogin(login))
        .forUpdate()
        .executeTakeFirst();
      if (row === undefined) throw new ChatError('not_found', 'no such operator');
      await transaction.deleteFrom('auth_totp').where('operator_id', '=', row.id).execute();
      await recordAudit(transaction, {
        actor: SHELL,
        action: 'second_factor.reset',
        subject: `operator:${row.id}`,
      });
      return toOperator(row);
    });
  }
}

async function recordChange(
  transaction: Transaction<Tables>,
  actor: AuditEntry['actor'],
  before: Operator,
  after: Operator,
  { passwordHash }: OperatorChange,
): Promise<void> {
  const subject = `operator:${after.id}`;
  if (passwordHash !== undefined) await recordAudit(transaction, { actor, action: 'password.changed', subject });
  const details = changedOf(before, after);
  if (details !== undefined) await recordAudit(transaction, { actor, action: 'operator.changed', subject, details });
}
