import type { Database } from '@chat-realtime/database';
import {
  type NotifyEvent,
  seesCallback,
  seesSession,
  type StaffScope,
  staffScopeSchema,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';

/** Current assignees of the chat and of the callback request. */
export interface Owners {
  readonly session: string | null;
  readonly callback: string | null;
}

/** An assigned chat concerns only its operator. An unassigned one concerns everyone who may see it. */
export function concerns(event: NotifyEvent, owners: Owners, viewer: { userId: string; scope: StaffScope }): boolean {
  const owner = owners.callback ?? owners.session;
  if (owner !== null) return owner === viewer.userId;
  return event === 'callback_requested'
    ? seesCallback(viewer, owners.session, owners.callback)
    : seesSession(viewer, null);
}

/**
 * Whether alert `a` is still true: `s` is its session, `c` its callback, both left-joined. A chat that waits again has
 * a separate alert; a callback request is news until somebody calls.
 */
export const ALERT_HOLDS = sql<boolean>`(CASE a.reason
  WHEN 'waiting' THEN s.status <> 'closed' AND s.waiting_since <= a.created_at
  WHEN 'callback_requested' THEN c.status IN ('new', 'assigned')
  ELSE false END) IS TRUE`;

/** A notice that was decided and is about to be sent. */
export interface Told {
  readonly event: NotifyEvent;
  readonly userId: string;
  /** Of an account that is not auth-service's: as of the operator's last token. */
  readonly scope: string | null;
  readonly sessionId: number | null;
  readonly alertId: number | null;
}

/** A notice that did not reach a device of an operator. */
export interface LostNotice {
  readonly id: number;
  readonly notice: string;
  readonly userId: string;
  readonly event: NotifyEvent;
}

interface Standing {
  readonly holds: boolean;
  readonly session_user: string | null;
  readonly callback_user: string | null;
  readonly scope: string | null;
}

/**
 * Checked again when it is sent: meanwhile it may have been answered, reassigned, or moved out of the scope of the
 * operator.
 */
export async function isStillDue(database: Database, told: Told): Promise<boolean> {
  const { event, userId, sessionId, alertId } = told;
  const scope = sql`(SELECT a.scope FROM auth_operator a WHERE a.id = ${userId})`;
  const { rows } =
    alertId === null
      ? await sql<Standing>`
        SELECT s.status <> 'closed' AND s.waiting_since IS NOT NULL AS holds, s.assigned_user_id AS session_user,
               NULL AS callback_user, ${scope} AS scope
          FROM chat_session s WHERE s.id = ${sessionId}::bigint`.execute(database.kysely)
      : await sql<Standing>`
        SELECT ${ALERT_HOLDS} AS holds, s.assigned_user_id AS session_user, c.assigned_user_id AS callback_user, ${scope} AS scope
          FROM chat_alert a
          LEFT JOIN chat_session s ON s.id = a.session_id LEFT JOIN chat_callback c ON c.id = a.callback_id
         WHERE a.id = ${alertId}::bigint`.execute(database.kysely);
  const [row] = rows;
  if (row === undefined || !row.holds) return false;
  const present = row.scope ?? told.scope;
  if (present === null) return false;
  const owners = { session: row.session_user, callback: row.callback_user };
  return concerns(event, owners, { userId, scope: staffScopeSchema.parse(present) });
}

/** The alert that a notice of {@link OperatorNotices} names. */
export function alertOf(notice: string): number | null {
  const id = /^alert:(\d+)$/.exec(notice)?.[1];
  return id === undefined ? null : Number(id);
}
