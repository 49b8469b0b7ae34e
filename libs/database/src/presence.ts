import { sql } from 'kysely';
import type { Database } from './types.ts';

/** Written so lately, a sign of life is not written again, however often it is given. */
const FRESH_SECONDS = 4;

export interface PresenceReport {
  readonly gateway_id: string;
  readonly operators: readonly { readonly id: string; readonly name: string | null }[];
}

/** The operators connected to a gateway, or reached by the bot: replaces its last report. */
export async function recordPresence(database: Database, presence: PresenceReport): Promise<void> {
  const ids = [...new Set(presence.operators.map((operator) => operator.id))];
  const names = new Map(presence.operators.map((operator) => [operator.id, operator.name]));
  const fresh = sql`clock_timestamp() - make_interval(secs => ${FRESH_SECONDS})`;
  const nameList = ids.map((id) => names.get(id) ?? null);
  await sql`
    WITH gone AS (DELETE FROM operator_presence WHERE gateway_id = ${presence.gateway_id} AND user_id <> ALL (${ids}::text[])),
    here AS (SELECT * FROM unnest(${ids}::text[], ${nameList}::text[]) AS h(user_id, name) ORDER BY 1),
    connected AS (UPDATE chat_operator o SET last_connected_at = clock_timestamp() FROM here
                   WHERE o.id = here.user_id AND (o.last_connected_at IS NULL OR o.last_connected_at < ${fresh}))
    INSERT INTO operator_presence (gateway_id, user_id, name) SELECT ${presence.gateway_id}, user_id, name FROM here
    ON CONFLICT (gateway_id, user_id) DO UPDATE SET name = EXCLUDED.name, seen_at = clock_timestamp()
      WHERE operator_presence.seen_at < ${fresh} OR operator_presence.name IS DISTINCT FROM EXCLUDED.name`.execute(
    database.kysely,
  );
}
