import { type BanTable, type Database, recordAudit, type Tables } from '@chat-realtime/database';
import {
  ADDRESS_BAN_HOURS,
  type Ban,
  BANS_MAX,
  type BansResponse,
  ChatError,
  type NewBan,
} from '@chat-realtime/protocol';
import type { TrustedProxies } from '@chat-realtime/service-kit';
import { type Insertable, type Selectable, sql, type Transaction } from 'kysely';
import type { StorageContext } from '../storage/context.ts';
import { commitWork } from '../storage/unit-of-work.ts';
import type { WorkUnit } from '../storage/unit.ts';
import type { StaffActor } from '../actors.ts';
import type { Sweep } from '../ports.ts';
import { fieldError } from '../field-error.ts';
import { sessionNotFound } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { pageId } from '../storage/id-page.ts';
import { boundedRows, textBytes } from '../storage/page-bytes.ts';
import { isVisible, visibleSessions } from '../storage/visibility.ts';
import { requireAllowed } from './require-not-banned.ts';
import { networkToBan } from './networks.ts';

/** Class of the lock under which bans are made: their number, and whether one exists already, are checked first. */
const LOCK_CLASS = 1_129_595_205;
const PAGE_ROWS = 100;
const HOUR_MS = 3_600_000;
/** Days for which the client address of a chat is kept. */
const ADDRESS_DAYS = 30;
const SWEEP_BATCH = 1_000;
const SWEEP_EVERY_MS = 600_000;

type Row = Selectable<BanTable>;
type Target = Pick<Insertable<BanTable>, 'kind' | 'customer_id' | 'network'> & { readonly session_id: number };

const HOLDS = sql<boolean>`(b.until IS NULL OR b.until > clock_timestamp())`;

export function renderBan(row: Row): Ban {
  return {
    id: row.id,
    by: row.kind,
    session_id: row.session_id,
    customer_id: row.customer_id,
    address: row.network,
    reason: row.reason,
    until: row.until?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    created_by_name: row.created_by_name,
  };
}

function endOf(ban: NewBan): Date | null {
  if (ban.until === undefined || ban.until === null)
    return ban.by === 'address' ? new Date(Date.now() + ADDRESS_BAN_HOURS * HOUR_MS) : null;
  const until = new Date(ban.until);
  if (until.getTime() <= Date.now()) throw fieldError('until', 'must be in the future');
  return until;
}

/** Makes the gateways reload the bans. A gateway that misses this reloads them with its next head check. */
function notifyGateways(unit: WorkUnit): void {
  unit.ephemeral({ v: 1, type: 'control.bans', data: {} });
}

/**
 * Bans of sessions, customers and networks. Staff get no event about a banned visitor's attempts. Bans are enforced in
 * three places: posts by `chat_post_checked` in SQL, everything else by `requireAllowed`, typing by the gateway.
 */
export class Bans {
  readonly #database: Database;
  readonly #context: StorageContext;
  readonly #trusted: TrustedProxies;

  constructor(database: Database, context: StorageContext, trusted: TrustedProxies) {
    this.#database = database;
    this.#context = context;
    this.#trusted = trusted;
  }

  /**
   * A target that is already banned keeps its ban, with the new reason and end. `proxy`: the address of an undeclared
   * proxy through which the operator came; with it no address identifies a visitor.
   */
  async add(
    actor: StaffActor,
    request: NewBan,
    proxy: string | null,
  ): Promise<{ ban: Ban; created: boolean; otherSessions: number | undefined }> {
    const until = endOf(request);
    if (request.by === 'address' && proxy !== null)
      throw fieldError(
        'by',
        `this is the address of a proxy that all visitors share; declare it: TRUSTED_PROXIES=${proxy}`,
      );
    return commitWork(this.#context, async (unit) => {
      const { trx } = unit;
      await sql`SELECT pg_advisory_xact_lock(${LOCK_CLASS}::integer, 0)`.execute(trx);
      const target = await this.#target(trx, actor, request);
      const known = await trx
        .selectFrom('chat_ban')
        .selectAll()
        .where('kind', '=', target.kind)
        .where('customer_id', 'is not distinct from', target.customer_id ?? null)
        .where('network', 'is not distinct from', target.network ?? null)
        .$if(target.kind === 'session', (query) => query.where('session_id', '=', target.session_id))
        .executeTakeFirst();
      const values = {
        ...target,
        reason: request.reason?.trim() || null,
        until,
        created_by: actor.userId,
        created_by_name: actor.name,
      };
      const isHeld = known !== undefined && (known.until === null || known.until.getTime() > Date.now());
      // An expired ban makes room: the target is banned again, under a new id.
      if (known !== undefined && !isHeld) await trx.deleteFrom('chat_ban').where('id', '=', known.id).execute();
      if (!isHeld) await this.#requireRoom(trx);
      const row = isHeld
        ? await trx
            .updateTable('chat_ban')
            .set(values)
            .where('id', '=', known.id)
            .returningAll()
            .executeTakeFirstOrThrow()
        : await trx.insertInto('chat_ban').values(values).returningAll().executeTakeFirstOrThrow();
      await recordAudit(trx, {
        actor,
        action: isHeld ? 'ban.changed' : 'ban.created',
        subject: `session:${request.session_id}`,
        details: { ban_id: row.id, by: row.kind, until: row.until?.toISOString() ?? null },
      });
      notifyGateways(unit);
      const { network } = target;
      const otherSessions = network ? await othersFrom(trx, network, request.session_id) : undefined;
      return { ban: renderBan(row), created: !isHeld, otherSessions };
    });
  }

  async list(actor: StaffActor, page?: string): Promise<BansResponse> {
    const before = page === undefined ? sql`true` : sql`b.id < ${pageId(page)}::bigint`;
    const { rows, more } = await translated(() =>
      boundedRows<Row>(this.#database.kysely, {
        rows: sql`SELECT b.* FROM chat_ban b JOIN chat_session s ON s.id = b.session_id
          WHERE ${before} AND ${HOLDS} AND ${visibleSessions(actor, 's.assigned_user_id')}
          ORDER BY b.id DESC LIMIT ${PAGE_ROWS + 1}::bigint`,
        bytes: textBytes('reason', 'customer_id', 'created_by_name'),
        order: sql`r.id DESC`,
        limit: PAGE_ROWS,
      }),
    );
    const last = rows.at(-1);
    return { bans: rows.map(renderBan), next_page: more && last !== undefined ? String(last.id) : null };
  }

  async lift(actor: StaffActor, id: number): Promise<void> {
    await commitWork(this.#context, async (unit) => {
      const { trx } = unit;
      const gone = await sql<Row>`DELETE FROM chat_ban b USING chat_session s
          WHERE b.id = ${id}::bigint AND s.id = b.session_id AND ${HOLDS}
            AND ${visibleSessions(actor, 's.assigned_user_id')} RETURNING b.*`.execute(trx);
      const [row] = gone.rows;
      if (row === undefined) throw new ChatError('ban_not_found', 'no such ban');
      await recordAudit(trx, {
        actor,
        action: 'ban.lifted',
        subject: `session:${row.session_id}`,
        details: { ban_id: row.id, by: row.kind },
      });
      notifyGateways(unit);
    });
  }

  /** See the function `requireAllowed`. */
  requireAllowed(sessionId: number | null, address: string | null): Promise<void> {
    return requireAllowed(this.#database, sessionId, address);
  }

  async #target(trx: Transaction<Tables>, actor: StaffActor, { session_id, by }: NewBan): Promise<Target> {
    const session = await trx
      .selectFrom('chat_session as s')
      .leftJoin('chat_client_address as a', 'a.session_id', 's.id')
      .select(['s.assigned_user_id', 's.customer_id', 'a.address'])
      .where('s.id', '=', session_id)
      .executeTakeFirst();
    if (session === undefined || !isVisible(actor, session.assigned_user_id)) throw sessionNotFound();
    const target = { session_id, customer_id: null, network: null };
    if (by === 'session') return { ...target, kind: by };
    if (by === 'customer') {
      if (session.customer_id === null) throw fieldError('by', 'nobody is signed in in this chat');
      return { ...target, kind: by, customer_id: session.customer_id };
    }
    if (session.address === null) throw fieldError('by', 'the client address of this chat is unknown');
    const verdict = networkToBan(session.address, this.#trusted);
    if (verdict.kind === 'refused') throw fieldError('by', `the address ${verdict.reason}`);
    return { ...target, kind: by, network: verdict.network };
  }

  async #requireRoom(trx: Transaction<Tables>): Promise<void> {
    const result = await sql<{ count: number }>`SELECT count(*) AS count FROM chat_ban b WHERE ${HOLDS}`.execute(trx);
    if ((result.rows[0]?.count ?? 0) >= BANS_MAX)
      throw fieldError('by', `there are already ${BANS_MAX} bans, the maximum`);
  }
}

/** How many other sessions a ban of this network would affect: an office, a mobile network or a proxy has many. */
async function othersFrom(trx: Transaction<Tables>, network: string, sessionId: number): Promise<number> {
  // A scoped address belongs to no network, and could not be parsed as one.
  const from = network.includes('/')
    ? sql`CASE WHEN a.address LIKE '%:%' AND a.address NOT LIKE '%\\%%' THEN a.address::inet <<= ${network}::cidr ELSE false END`
    : sql`a.address = ${network}`;
  const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM chat_client_address a
    WHERE a.session_id <> ${sessionId}::bigint AND a.seen_at > clock_timestamp() - interval '1 day' AND ${from}`.execute(
    trx,
  );
  return rows[0]?.count ?? 0;
}

/** Deletes expired bans, and client addresses past their retention. */
export function banSweep(database: Database): Sweep {
  return {
    name: 'bans',
    everyMs: SWEEP_EVERY_MS,
    run: async () => {
      await translated(async () => {
        await sql`DELETE FROM chat_ban WHERE id IN (
          SELECT id FROM chat_ban WHERE until <= now() ORDER BY until LIMIT ${SWEEP_BATCH})`.execute(database.kysely);
        await sql`DELETE FROM chat_client_address WHERE session_id IN (
          SELECT session_id FROM chat_client_address
           WHERE seen_at < now() - make_interval(days => ${ADDRESS_DAYS}::integer)
           ORDER BY seen_at LIMIT ${SWEEP_BATCH})`.execute(database.kysely);
      });
    },
  };
}
