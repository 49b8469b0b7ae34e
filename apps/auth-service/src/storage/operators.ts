import { randomUUID } from 'node:crypto';
import type { AuthTables, Database, Tables } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import type { Kysely, Selectable } from 'kysely';
import { normaliseLogin, type Operator } from '../domain/operator.ts';
import { revokeStaff } from './revocations.ts';

export interface NewOperator {
  readonly login: string;
  readonly name: string;
  readonly role: Operator['role'];
  readonly scope?: Operator['scope'];
  readonly passwordHash: string;
}

/** Changes that end what the operator may do with tokens he already has. */
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

function toOperator(row: Selectable<AuthTables['auth_operator']>): Operator {
  const { id, login, name, role, scope, active } = row;
  return { id, login, name, role, scope, active };
}

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

  async byId(id: string): Promise<Operator | undefined> {
    const row = await this.#db.selectFrom('auth_operator').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : toOperator(row);
  }

  async list(): Promise<Operator[]> {
    return (await this.#db.selectFrom('auth_operator').selectAll().orderBy('login').execute()).map(toOperator);
  }

  /** `undefined` when the login is taken. */
  async add({ login, name, role, scope = 'all', passwordHash }: NewOperator): Promise<Operator | undefined> {
    const row = await this.#db
      .insertInto('auth_operator')
      .values({ id: randomUUID(), login: normaliseLogin(login), name, role, scope, password_hash: passwordHash })
      .onConflict((conflict) => conflict.column('login').doNothing())
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? undefined : toOperator(row);
  }

  /**
   * Every change of rights or password ends all sign-ins and revokes all tokens of the operator, since those still say
   * what he was before.
   * @throws ChatError `not_found`
   */
  async change(login: string, change: OperatorChange): Promise<Operator> {
    const now = this.#now();
    return this.#db.transaction().execute(async (transaction) => {
      const row = await transaction
        .updateTable('auth_operator')
        .set({
          ...(change.role === undefined ? {} : { role: change.role }),
          ...(change.scope === undefined ? {} : { scope: change.scope }),
          ...(change.active === undefined ? {} : { active: change.active }),
          ...(change.passwordHash === undefined ? {} : { password_hash: change.passwordHash }),
          updated_at: now,
        })
        .where('login', '=', normaliseLogin(login))
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) throw new ChatError('not_found', 'no such operator');
      await transaction
        .updateTable('auth_login')
        .set({ ended_at: now, end_reason: 'operator' })
        .where('operator_id', '=', row.id)
        .where('ended_at', 'is', null)
        .execute();
      await revokeStaff(transaction, row.id, now);
      return toOperator(row);
    });
  }
}
