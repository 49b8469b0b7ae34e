import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type AuthTables, type Database, recordAudit, type Tables } from '@chat-realtime/database';
import type { Kysely, Selectable, Transaction } from 'kysely';
import { normaliseLogin } from '../domain/operator.ts';
import { unknownPasswordHash } from '../domain/passwords.ts';
import { changedOf, type Credentials, endSignIns, lastAdminIs, toOperator } from '../storage/operators.ts';
import type { OidcPerson } from './claims.ts';

type Account = Selectable<AuthTables['auth_operator']>;

/** From the provider's redirect to the console's call: one redirect and one page load. */
const TICKET_SECONDS = 60;

/**
 * `no_role`: the provider gives none, or has withdrawn it. `no_account`: nobody here has invited them. `last_admin`:
 * the provider would remove the last administrator.
 */
export type OidcRefusal = 'no_role' | 'no_account' | 'login_taken' | 'inactive' | 'last_admin';

export type OidcTicket =
  | { readonly kind: 'ticket'; readonly ticket: string }
  | { readonly kind: 'refused'; readonly reason: OidcRefusal };

const hashOf = (ticket: string): string => createHash('sha256').update(ticket).digest('hex');

/** Accounts of people whom the identity provider signs in. */
export class OidcAccounts {
  readonly #db: Kysely<Tables>;
  readonly #now: () => Date;

  constructor(database: Database, now: () => Date) {
    this.#db = database.kysely;
    this.#now = now;
  }

  /**
   * Finds the account of a person, or creates it if the provider gives them a role. An existing account is theirs only
   * through an address that the provider has verified; from then on only issuer and subject identify it.
   */
  async admit(person: OidcPerson): Promise<OidcTicket> {
    if (person.role === null) return { kind: 'refused', reason: await this.#withdrawn(person) };
    // A password that nobody knows, until an administrator sends a link for one.
    const passwordHash = await unknownPasswordHash();
    return this.#db.transaction().execute(async (trx): Promise<OidcTicket> => {
      const id = (await this.#known(trx, person)) ?? (await this.#linked(trx, person));
      if (id !== undefined) return this.#admitted(trx, id, person);
      if (person.role === 'unsaid' || person.role === null) return { kind: 'refused', reason: 'no_account' };
      const made = await trx
        .insertInto('auth_operator')
        .values({
          id: randomUUID(),
          login: normaliseLogin(person.login),
          name: person.name,
          role: person.role,
          scope: 'all',
          password_hash: passwordHash,
          oidc_issuer: person.issuer,
          oidc_subject: person.subject,
        })
        .onConflict((conflict) => conflict.doNothing())
        .returning('id')
        .executeTakeFirst();
      if (made === undefined) return { kind: 'refused', reason: 'login_taken' };
      await recordAudit(trx, {
        actor: { userId: made.id, name: person.name },
        action: 'operator.added',
        subject: `operator:${made.id}`,
        details: { role: person.role, scope: 'all', by: 'oidc' },
      });
      return { kind: 'ticket', ticket: await this.#ticket(trx, made.id) };
    });
  }

  /** Uses up a ticket. */
  async redeem(ticket: string): Promise<Credentials | undefined> {
    return this.#db.transaction().execute(async (trx) => {
      const used = await trx
        .deleteFrom('auth_oidc_ticket')
        .where('key_hash', '=', hashOf(ticket))
        .where('expires_at', '>', this.#now())
        .returning('operator_id')
        .executeTakeFirst();
      if (used === undefined) return undefined;
      const row = await trx
        .selectFrom('auth_operator')
        .selectAll()
        .where('id', '=', used.operator_id)
        .executeTakeFirst();
      return row === undefined ? undefined : { operator: toOperator(row), passwordHash: row.password_hash };
    });
  }

  async prune(): Promise<void> {
    await this.#db.deleteFrom('auth_oidc_ticket').where('expires_at', '<=', this.#now()).execute();
  }

  /**
   * A person whose role the provider has withdrawn loses access here too: both existing sign-ins and the password end,
   * until the provider gives a role again, or an administrator restores the account.
   */
  async #withdrawn(person: OidcPerson): Promise<'no_role' | 'last_admin'> {
    return this.#db.transaction().execute(async (trx) => {
      const id = await this.#known(trx, person);
      if (id === undefined) return 'no_role';
      if (await lastAdminIs(trx, id)) return 'last_admin';
      const known = await this.#lock(trx, id);
      if (known?.active !== true) return 'no_role';
      const now = this.#now();
      await trx
        .updateTable('auth_operator')
        .set({ active: false, oidc_withdrawn_at: now, updated_at: now })
        .where('id', '=', id)
        .execute();
      await trx.deleteFrom('auth_invite').where('operator_id', '=', id).execute();
      await endSignIns(trx, id, now);
      await this.#recordChange(trx, known, { ...known, active: false });
      return 'no_role';
    });
  }

  async #lock(trx: Transaction<Tables>, id: string): Promise<Account | undefined> {
    return trx.selectFrom('auth_operator').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  }

  #recordChange(trx: Transaction<Tables>, before: Account, after: Account): Promise<void> {
    const { id, name } = before;
    return recordAudit(trx, {
      actor: { userId: id, name },
      action: 'operator.changed',
      subject: `operator:${id}`,
      details: { ...changedOf(before, after), by: 'oidc' },
    });
  }

  async #known(trx: Transaction<Tables>, { issuer, subject }: OidcPerson): Promise<string | undefined> {
    const row = await trx
      .selectFrom('auth_operator')
      .select('id')
      .where('oidc_issuer', '=', issuer)
      .where('oidc_subject', '=', subject)
      .executeTakeFirst();
    return row?.id;
  }

  async #linked(trx: Transaction<Tables>, person: OidcPerson): Promise<string | undefined> {
    if (person.verifiedEmail === null) return undefined;
    const row = await trx
      .updateTable('auth_operator')
      .set({ oidc_issuer: person.issuer, oidc_subject: person.subject, updated_at: this.#now() })
      .where('login', '=', normaliseLogin(person.verifiedEmail))
      .where('oidc_subject', 'is', null)
      .where('active', '=', true)
      .returning(['id', 'name'])
      .executeTakeFirst();
    if (row === undefined) return undefined;
    await recordAudit(trx, {
      actor: { userId: row.id, name: row.name },
      action: 'operator.linked',
      subject: `operator:${row.id}`,
    });
    return row.id;
  }

  /** The provider's decision on the role takes effect with this sign-in. */
  async #admitted(trx: Transaction<Tables>, id: string, person: OidcPerson): Promise<OidcTicket> {
    const isLast = await lastAdminIs(trx, id);
    const known = await this.#lock(trx, id);
    const says = person.role === 'unsaid' ? null : person.role;
    // The provider had withdrawn the role, and gives one again.
    const returns = known !== undefined && known.oidc_withdrawn_at !== null && says !== null;
    if (known === undefined || !(known.active || returns)) return { kind: 'refused', reason: 'inactive' };
    const role = says ?? known.role;
    if (role !== known.role || returns) {
      if (isLast) return { kind: 'refused', reason: 'last_admin' };
      const now = this.#now();
      await trx
        .updateTable('auth_operator')
        .set({ role, updated_at: now, ...(returns ? { active: true, oidc_withdrawn_at: null } : {}) })
        .where('id', '=', id)
        .execute();
      await endSignIns(trx, id, now);
      await this.#recordChange(trx, known, { ...known, role, active: true });
    }
    return { kind: 'ticket', ticket: await this.#ticket(trx, id) };
  }

  async #ticket(trx: Transaction<Tables>, operatorId: string): Promise<string> {
    const ticket = randomBytes(32).toString('base64url');
    await trx
      .insertInto('auth_oidc_ticket')
      .values({
        key_hash: hashOf(ticket),
        operator_id: operatorId,
        expires_at: new Date(this.#now().getTime() + TICKET_SECONDS * 1_000),
      })
      .execute();
    return ticket;
  }
}
