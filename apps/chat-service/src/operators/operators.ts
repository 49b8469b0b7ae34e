import {
  type OperatorStatus,
  operatorStatusSchema,
  type OperatorsResponse,
  type PresenceState,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../actors.ts';
import { fieldError } from '../field-error.ts';
import { PRESENCE_SECONDS } from '../ports.ts';
import type { StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { boundedRows, textBytes } from '../storage/page-bytes.ts';

/** An operator is written down again after this time, or when their name or role is another. */
const REFRESH_MS = 60_000;
const PAGE_MAX = 500;
/** Stores role and scope of an operator who is unknown to auth-service. */
const KEEP_RIGHTS = ['operator_telegram', 'push_subscription', 'notify_setting'] as const;

/** Records operators from the tokens they use, without a write per request. */
export class OperatorDirectory {
  readonly #context: StorageContext;
  readonly #written = new Map<string, { at: number; name: string | null; role: string; scope: string }>();

  constructor(context: StorageContext) {
    this.#context = context;
  }

  async seen(actor: StaffActor): Promise<void> {
    const known = this.#written.get(actor.userId);
    const now = performance.now();
    if (
      known !== undefined &&
      known.name === actor.name &&
      known.role === actor.role &&
      known.scope === actor.scope &&
      now - known.at < REFRESH_MS
    )
      return;
    this.#written.set(actor.userId, { at: now, name: actor.name, role: actor.role, scope: actor.scope });
    try {
      await translated(() =>
        sql`INSERT INTO chat_operator AS o (id, name, role) VALUES (${actor.userId}, ${actor.name}, ${actor.role})
          ON CONFLICT (id) DO UPDATE SET name = COALESCE(EXCLUDED.name, o.name), role = EXCLUDED.role, last_seen_at = clock_timestamp()`.execute(
          this.#context.database.kysely,
        ),
      );
      // Notices outside the console follow the rights of the newest token.
      for (const table of KEEP_RIGHTS)
        await translated(() =>
          sql`UPDATE ${sql.table(table)} SET role = ${actor.role}, scope = ${actor.scope}
            WHERE user_id = ${actor.userId} AND (role, scope) IS DISTINCT FROM (${actor.role}::text, ${actor.scope}::text)`.execute(
            this.#context.database.kysely,
          ),
        );
    } catch (error) {
      this.#written.delete(actor.userId);
      throw error;
    }
  }
}

interface OperatorRow {
  id: string;
  name: string | null;
  sort_name: string;
  role: string;
  status: string;
  online: boolean;
  active_sessions: number;
}

/** What they chose is stronger than that they are connected; nobody is there without a connection. */
function presenceOf(connected: boolean, status: OperatorStatus): PresenceState {
  return !connected || status === 'off' ? 'offline' : status;
}

/** Where a page ended: sort name and id of its last operator. */
function parsePage(page: string | undefined): readonly [string, string] | undefined {
  if (page === undefined) return undefined;
  const [name, id, more] = Buffer.from(page, 'base64url').toString('utf8').split('\n');
  if (name === undefined || id === undefined || more !== undefined)
    throw fieldError('page', 'must be the next_page of an earlier answer');
  return [name, id];
}

/** By name; operators without a name come last. */
export function operators(context: StorageContext, page?: string): Promise<OperatorsResponse> {
  const after = parsePage(page);
  return translated(async () => {
    const { rows, more } = await boundedRows<OperatorRow>(context.database.kysely, {
      rows: sql`
        SELECT o.*, EXISTS (SELECT 1 FROM operator_presence p WHERE p.user_id = o.id
                 AND p.seen_at > clock_timestamp() - make_interval(secs => ${PRESENCE_SECONDS})) AS online,
          (SELECT count(*) FROM chat_session s WHERE s.assigned_user_id = o.id AND s.status = 'active') AS active_sessions
        FROM (SELECT id, name, role, status, COALESCE('0' || translate(name, E'\n', ' '), '1') AS sort_name FROM chat_operator) o
        WHERE ${after === undefined ? sql`true` : sql`(o.sort_name, o.id) > (${after[0]}, ${after[1]})`}
        ORDER BY o.sort_name, o.id LIMIT ${PAGE_MAX + 1}::bigint`,
      bytes: textBytes('id', 'name'),
      order: sql`r.sort_name, r.id`,
      limit: PAGE_MAX,
    });
    const last = rows.at(-1);
    const list = rows.map((row) => {
      const status = operatorStatusSchema.parse(row.status);
      return {
        id: row.id,
        name: row.name,
        role: row.role === 'admin' ? ('admin' as const) : ('operator' as const),
        presence: presenceOf(row.online, status),
        status,
        active_sessions: row.active_sessions,
      };
    });
    const next = more && last !== undefined ? Buffer.from(`${last.sort_name}\n${last.id}`).toString('base64url') : null;
    return { operators: list, next_page: next };
  });
}

/** Those whom a customer can count on: connected, and neither away nor off. */
export function operatorsOnline(context: StorageContext): Promise<number> {
  return translated(async () => {
    const result = await sql<{ online: number }>`
      SELECT count(DISTINCT p.user_id) AS online FROM operator_presence p LEFT JOIN chat_operator o ON o.id = p.user_id
       WHERE p.seen_at > clock_timestamp() - make_interval(secs => ${PRESENCE_SECONDS})
         AND COALESCE(o.status, 'online') = 'online'`.execute(context.database.kysely);
    return result.rows[0]?.online ?? 0;
  });
}
