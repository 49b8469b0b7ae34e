import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type AuditEntry, type Database, recordAudit, type Tables } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { type Kysely, sql, type Transaction } from 'kysely';
import { normaliseLogin, type Operator } from '../domain/operator.ts';
import { unknownPasswordHash } from '../domain/passwords.ts';
import { closeDemo, endSignIns, hasOwnAdmin, toOperator } from './operators.ts';

/** Long enough for people who read their mail the next day. */
export const INVITE_HOURS = 24;
/** Only one link for the first administrator is made at a time: ('auth', 2) as two numbers. */
const FIRST_ADMIN_LOCK = [1_635_084_392, 2] as const;

export interface Invite {
  /** It is only in the link: the database has just its hash. */
  readonly key: string;
  readonly expiresAt: Date;
}

export type OpenInvite =
  | { readonly kind: 'first_admin'; readonly expiresAt: Date }
  | { readonly kind: 'operator'; readonly operator: Operator; readonly expiresAt: Date };

export interface Acceptance {
  /** Given by the first administrator; an operator's account already has them. */
  readonly login?: string | undefined;
  readonly name?: string | undefined;
  readonly passwordHash: string;
}

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

function notOpen(): ChatError {
  return new ChatError('bad_credentials', 'this link is not valid any more: it was used, replaced, or has expired');
}

/** One-time links with which people set their own password. */
export class Invites {
  readonly #db: Kysely<Tables>;
  readonly #now: () => Date;

  constructor(database: Database, now: () => Date) {
    this.#db = database.kysely;
    this.#now = now;
  }

  /** For the first administrator; undefined if there is one. A newer link replaces an older one. */
  async forFirstAdmin(): Promise<Invite | undefined> {
    return this.#db.transaction().execute(async (transaction) => {
      // There is no row to lock: two starts at once leave one link.
      await sql`SELECT pg_advisory_xact_lock(${sql.lit(FIRST_ADMIN_LOCK[0])}, ${sql.lit(FIRST_ADMIN_LOCK[1])})`.execute(
        transaction,
      );
      if (await hasOwnAdmin(transaction)) return undefined;
      await transaction.deleteFrom('auth_invite').where('operator_id', 'is', null).execute();
      return this.#make(transaction, null);
    });
  }

  /**
   * For an operator's own password: the first one of a new account, or a forgotten one. Replaces an older link. With
   * `by` it is recorded in the log.
   * @throws ChatError `not_found`: no such account, or it is closed
   */
  async forOperator(operatorId: string, by?: AuditEntry['actor']): Promise<Invite> {
    return this.#db.transaction().execute(async (transaction) => {
      // The account is locked before its link, here and wherever both are changed. Otherwise two links remain, or each
      // transaction waits for the other.
      const account = await transaction
        .selectFrom('auth_operator')
        .select('active')
        .where('id', '=', operatorId)
        .forUpdate()
        .executeTakeFirst();
      if (account?.active !== true) throw new ChatError('not_found', 'no such operator');
      if (by !== undefined)
        await recordAudit(transaction, {
          actor: by,
          action: 'operator.invited',
          subject: `operator:${operatorId}`,
        });
      await transaction.deleteFrom('auth_invite').where('operator_id', '=', operatorId).execute();
      return this.#make(transaction, operatorId);
    });
  }

  /** @throws ChatError `bad_credentials` */
  async read(key: string): Promise<OpenInvite> {
    const row = await this.#db
      .selectFrom('auth_invite as i')
      .leftJoin('auth_operator as o', 'o.id', 'i.operator_id')
      .selectAll('o')
      .select(['i.operator_id', 'i.expires_at'])
      .where('i.key_hash', '=', hashOf(key))
      .where('i.expires_at', '>', this.#now())
      .executeTakeFirst();
    if (row === undefined) throw notOpen();
    const { operator_id: operatorId, expires_at: expiresAt, login, name, role, scope, active } = row;
    if (operatorId === null) {
      if (await hasOwnAdmin(this.#db)) throw notOpen();
      return { kind: 'first_admin', expiresAt };
    }
    if (login === null || name === null || role === null || scope === null || active !== true) throw notOpen();
    return { kind: 'operator', operator: { id: operatorId, login, name, role, scope, active }, expiresAt };
  }

  /**
   * Uses the link up, in one transaction with its purpose. With its first own administrator a chat is no longer a demo:
   * the demo's accounts are closed, whichever link was used.
   * @throws ChatError `bad_credentials` | `validation_failed` | `login_taken`; then the link remains valid
   */
  async accept(key: string, acceptance: Acceptance): Promise<Operator> {
    const unknown = await unknownPasswordHash();
    return this.#db.transaction().execute(async (transaction) => {
      await this.#lockAccount(transaction, key);
      const used = await transaction
        .deleteFrom('auth_invite')
        .where('key_hash', '=', hashOf(key))
        .where('expires_at', '>', this.#now())
        .returning('operator_id')
        .executeTakeFirst();
      if (used === undefined) throw notOpen();
      return used.operator_id === null
        ? this.#addFirstAdmin(transaction, acceptance, unknown)
        : this.#setPassword(transaction, used.operator_id, acceptance.passwordHash, unknown);
    });
  }

  async prune(): Promise<void> {
    await this.#db.deleteFrom('auth_invite').where('expires_at', '<=', this.#now()).execute();
  }

  /** For an operator's link; closing the account at the same moment locks it before the link too. */
  async #lockAccount(transaction: Transaction<Tables>, key: string): Promise<void> {
    await transaction
      .selectFrom('auth_operator')
      .select('id')
      .where('id', '=', (query) =>
        query.selectFrom('auth_invite').select('operator_id').where('key_hash', '=', hashOf(key)),
      )
      .forUpdate()
      .execute();
  }

  async #make(transaction: Transaction<Tables>, operatorId: string | null): Promise<Invite> {
    const key = randomBytes(32).toString('base64url');
    const createdAt = this.#now();
    const expiresAt = new Date(createdAt.getTime() + INVITE_HOURS * 3_600_000);
    await transaction
      .insertInto('auth_invite')
      .values({ key_hash: hashOf(key), operator_id: operatorId, created_at: createdAt, expires_at: expiresAt })
      .execute();
    return { key, expiresAt };
  }

  async #addFirstAdmin(
    transaction: Transaction<Tables>,
    acceptance: Acceptance,
    unknownPassword: string,
  ): Promise<Operator> {
    const { login, name, passwordHash } = acceptance;
    if (login === undefined || name === undefined)
      throw new ChatError('validation_failed', 'the first administrator names login and name', {
        details: [login === undefined ? 'login' : 'name'],
      });
    if (await hasOwnAdmin(transaction)) throw notOpen();
    await closeDemo(transaction, this.#now, unknownPassword);
    const row = await transaction
      .insertInto('auth_operator')
      .values({
        id: randomUUID(),
        login: normaliseLogin(login),
        name,
        role: 'admin',
        scope: 'all',
        password_hash: passwordHash,
        joined_at: this.#now(),
      })
      .onConflict((conflict) => conflict.column('login').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw new ChatError('login_taken', 'another operator has this login');
    await recordAudit(transaction, {
      actor: { userId: row.id, name: row.name },
      action: 'admin.joined',
      subject: `operator:${row.id}`,
    });
    return toOperator(row);
  }

  async #setPassword(
    transaction: Transaction<Tables>,
    id: string,
    passwordHash: string,
    unknownPassword: string,
  ): Promise<Operator> {
    const joined = this.#now();
    const row = await transaction
      .updateTable('auth_operator')
      .set({ password_hash: passwordHash, joined_at: joined })
      .where('id', '=', id)
      .where('active', '=', true)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw notOpen();
    await endSignIns(transaction, id, this.#now());
    await recordAudit(transaction, {
      actor: { userId: id, name: row.name },
      action: 'password.set_by_link',
      subject: `operator:${id}`,
    });
    if (row.role === 'admin' && !row.demo) await this.#endWaitForFirstAdmin(transaction, unknownPassword);
    return toOperator(row);
  }

  /** A link for the first administrator exists while the chat is a real one. Another administrator has joined first. */
  async #endWaitForFirstAdmin(transaction: Transaction<Tables>, unknownPassword: string): Promise<void> {
    const waited = await transaction
      .deleteFrom('auth_invite')
      .where('operator_id', 'is', null)
      .returning('key_hash')
      .execute();
    if (waited.length > 0) await closeDemo(transaction, this.#now, unknownPassword);
  }
}
