import { sql } from 'kysely';
import { PRESENCE_SECONDS, type Sweep } from '../ports.ts';
import { type SessionAction, transition } from './transition.ts';
import type { StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { applyTransition, commitSession, stateOf } from '../storage/unit-of-work.ts';

const BATCH = 200;
const EVERY_MS = 15_000;
/** Tokens live for a day, so an older revocation has nothing left to revoke. */
const REVOCATION_HOURS = 25;

/** Each session has its own transaction and is checked again under its lock: someone may have written meanwhile. */
async function moveAll(
  context: StorageContext,
  ids: readonly number[],
  action: SessionAction,
  still: (session: { updatedAt: Date; waitingSince: Date | null; assignedUserId: string | null }) => boolean,
): Promise<void> {
  for (const id of ids) {
    await commitSession(context, id, async (unit) => {
      if (!still(unit.session)) return;
      await applyTransition(unit, transition(stateOf(unit.session), action), null);
    });
  }
}

/** An idle chat is closed, but never if the customer waits for a reply: they would disappear from the badge. */
export function autoCloseSweep(context: StorageContext): Sweep {
  const minutes = context.options.autoCloseMinutes;
  // `now()`, since no index serves a condition that may change from row to row.
  return {
    name: 'auto_close',
    everyMs: EVERY_MS,
    run: async () => {
      if (minutes === 0) return;
      const result = await translated(() =>
        sql<{ id: number; cutoff: Date }>`
          SELECT id, now() - make_interval(mins => ${minutes}::integer) AS cutoff FROM chat_session
           WHERE status IN ('new', 'active') AND waiting_since IS NULL
             AND updated_at < now() - make_interval(mins => ${minutes}::integer)
           ORDER BY updated_at LIMIT ${BATCH}`.execute(context.database.kysely),
      );
      const cutoff = result.rows[0]?.cutoff;
      if (cutoff === undefined) return;
      await moveAll(
        context,
        result.rows.map((row) => row.id),
        { kind: 'idle' },
        (session) => session.updatedAt <= cutoff && session.waitingSince === null,
      );
    },
  };
}

/**
 * `offline`: sessions of an operator without a connection go back to the queue, and so do those of one who is `off` and
 * has not written in them since. `always`: also those of a connected operator who lets the customer wait that long.
 */
export function returnToQueueSweep(context: StorageContext): Sweep {
  const { returnToQueue, returnToQueueSeconds: seconds } = context.options;
  return {
    name: 'return_to_queue',
    everyMs: EVERY_MS,
    run: async () => {
      if (returnToQueue === 'never') return;
      const result = await translated(() =>
        sql<{ id: number; assigned_user_id: string }>`
          WITH bound AS (SELECT clock_timestamp() - make_interval(secs => ${seconds}::float8) AS at)
          SELECT s.id, s.assigned_user_id FROM chat_session s CROSS JOIN bound LEFT JOIN chat_operator o ON o.id = s.assigned_user_id
           WHERE s.status = 'active' AND s.assigned_at < bound.at AND (
             ((o.id IS NULL OR GREATEST(o.last_seen_at, o.last_connected_at) < bound.at)
              AND NOT EXISTS (SELECT 1 FROM operator_presence p WHERE p.user_id = s.assigned_user_id
                               AND p.seen_at > clock_timestamp() - make_interval(secs => ${PRESENCE_SECONDS}::float8)))
             OR (o.status = 'off' AND o.status_since < bound.at AND NOT EXISTS (
                   SELECT 1 FROM chat_event e WHERE e.session_id = s.id AND e.type = 'chat.message'
                      AND e.actor_id = s.assigned_user_id AND e.created_at >= bound.at))
             OR (${returnToQueue === 'always'}::boolean AND s.waiting_since < bound.at))
           ORDER BY s.id LIMIT ${BATCH}`.execute(context.database.kysely),
      );
      for (const row of result.rows) {
        await moveAll(
          context,
          [row.id],
          { kind: 'return' },
          (session) => session.assignedUserId === row.assigned_user_id,
        );
      }
    },
  };
}

/** Chats of an operator whose account has ended go back to the queue at once. */
export function deactivatedSweep(context: StorageContext): Sweep {
  return {
    name: 'deactivated_operators',
    everyMs: 2_000,
    run: async () => {
      const result = await translated(() =>
        sql<{ id: number; assigned_user_id: string }>`
          SELECT s.id, s.assigned_user_id FROM auth_operator o JOIN chat_session s ON s.assigned_user_id = o.id
           WHERE NOT o.active AND s.status = 'active' ORDER BY s.id LIMIT ${BATCH}`.execute(context.database.kysely),
      );
      for (const row of result.rows)
        await moveAll(
          context,
          [row.id],
          { kind: 'return' },
          (session) => session.assignedUserId === row.assigned_user_id,
        );
    },
  };
}

/** Rows that say nothing any more: revocations of expired tokens, presence of gateways long gone. */
export function expirySweep(context: StorageContext): Sweep {
  return {
    name: 'expiry',
    everyMs: 60_000,
    run: async () => {
      const db = context.database.kysely;
      await translated(async () => {
        // The newest stays: its id is the head that gateways compare with.
        await sql`DELETE FROM revocation WHERE created_at < clock_timestamp() - make_interval(hours => ${REVOCATION_HOURS}::integer)
          AND id < (SELECT max(id) FROM revocation)`.execute(db);
        await sql`DELETE FROM operator_presence WHERE seen_at < clock_timestamp() - interval '1 hour'`.execute(db);
      });
    },
  };
}
