import {
  type CatchupRequest,
  type OperatorStatus,
  operatorStatusSchema,
  type PresenceState,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../domain/actors.ts';
import type { OperatorEntry } from '../domain/operation-types.ts';
import type { StorageContext } from './context.ts';
import { translated } from './errors.ts';

/** An operator is written down again after this time, or when his name or role is another. */
const REFRESH_MS = 60_000;

/** Learns operators from the tokens they show, without a write per request. */
export class OperatorDirectory {
  readonly #context: StorageContext;
  readonly #written = new Map<string, { at: number; name: string | null; role: string }>();

  constructor(context: StorageContext) {
    this.#context = context;
  }

  async seen(actor: StaffActor): Promise<void> {
    const known = this.#written.get(actor.userId);
    const now = Date.now();
    if (known !== undefined && known.name === actor.name && known.role === actor.role && now - known.at < REFRESH_MS)
      return;
    this.#written.set(actor.userId, { at: now, name: actor.name, role: actor.role });
    try {
      await translated(() =>
        sql`INSERT INTO chat_operator AS o (id, name, role) VALUES (${actor.userId}, ${actor.name}, ${actor.role})
          ON CONFLICT (id) DO UPDATE SET name = COALESCE(EXCLUDED.name, o.name), role = EXCLUDED.role, last_seen_at = clock_timestamp()`.execute(
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
  role: string;
  status: string;
  online: boolean;
  active_sessions: number;
}

/** What he chose is stronger than that he is connected; nobody is there without a connection. */
function presenceOf(connected: boolean, status: OperatorStatus): PresenceState {
  return !connected || status === 'off' ? 'offline' : status;
}

export function operators(context: StorageContext): Promise<OperatorEntry[]> {
  return translated(async () => {
    const result = await sql<OperatorRow>`
      SELECT o.id, o.name, o.role, o.status,
        EXISTS (SELECT 1 FROM operator_presence p WHERE p.user_id = o.id
                 AND p.seen_at > clock_timestamp() - make_interval(secs => ${context.options.presenceSeconds})) AS online,
        (SELECT count(*) FROM chat_session s WHERE s.assigned_user_id = o.id AND s.status = 'active') AS active_sessions
      FROM chat_operator o ORDER BY o.name NULLS LAST, o.id`.execute(context.database.kysely);
    return result.rows.map((row) => {
      const status = operatorStatusSchema.parse(row.status);
      return {
        id: row.id,
        name: row.name,
        role: row.role === 'admin' ? 'admin' : 'operator',
        presence: presenceOf(row.online, status),
        status,
        active_sessions: row.active_sessions,
      };
    });
  });
}

/** Those whom a customer can count on: connected, and neither away nor off. */
export function operatorsOnline(context: StorageContext): Promise<number> {
  return translated(async () => {
    const result = await sql<{ online: number }>`
      SELECT count(DISTINCT p.user_id) AS online FROM operator_presence p LEFT JOIN chat_operator o ON o.id = p.user_id
       WHERE p.seen_at > clock_timestamp() - make_interval(secs => ${context.options.presenceSeconds})
         AND COALESCE(o.status, 'online') = 'online'`.execute(context.database.kysely);
    return result.rows[0]?.online ?? 0;
  });
}

/** Replaces what the gateway said before. */
export async function recordPresence(
  context: StorageContext,
  presence: NonNullable<CatchupRequest['presence']>,
): Promise<void> {
  const ids = [...new Set(presence.operators.map((operator) => operator.id))];
  const names = new Map(presence.operators.map((operator) => [operator.id, operator.name]));
  const nameList = ids.map((id) => names.get(id) ?? null);
  await sql`
    WITH gone AS (DELETE FROM operator_presence WHERE gateway_id = ${presence.gateway_id} AND user_id <> ALL (${ids}::text[])),
    here AS (SELECT * FROM unnest(${ids}::text[], ${nameList}::text[]) AS h(user_id, name) ORDER BY 1),
    connected AS (UPDATE chat_operator o SET last_connected_at = clock_timestamp() FROM here WHERE o.id = here.user_id)
    INSERT INTO operator_presence (gateway_id, user_id, name) SELECT ${presence.gateway_id}, user_id, name FROM here
    ON CONFLICT (gateway_id, user_id) DO UPDATE SET name = EXCLUDED.name, seen_at = clock_timestamp()`.execute(
    context.database.kysely,
  );
}
