import { seesSession } from '@chat-realtime/protocol';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Actor, StaffActor } from '../actors.ts';
import { sessionNotFound } from './context.ts';

/** Whether the actor may see a session that is `assignedUserId`'s now. A customer's own session is checked by its id. */
export function isVisible(actor: Actor, assignedUserId: string | null): boolean {
  return actor.kind === 'customer' || seesSession(actor, assignedUserId);
}

/** Under the lock of the session, so that it cannot be reassigned between check and write. */
export function requireVisible(actor: Actor, session: { readonly assignedUserId: string | null }): void {
  if (!isVisible(actor, session.assignedUserId)) throw sessionNotFound();
}

/** Whether who has the session decides anything for this actor; the hot statements skip the question for all others. */
export function hasNarrowScope(actor: Actor): boolean {
  return actor.kind === 'staff' && actor.scope !== 'all';
}

/** `seesSession` for many rows; `assignee` is the column that says whose the session is. */
export function visibleSessions(actor: StaffActor, assignee: string): RawBuilder<SqlBool> {
  const column = sql.ref(assignee);
  switch (actor.scope) {
    case 'all':
      return sql`true`;
    case 'assigned':
      return sql`(${column} IS NULL OR ${column} = ${actor.userId})`;
    case 'own':
      return sql`(${column} IS NOT NULL AND ${column} = ${actor.userId})`;
  }
}

/** `seesCallback`, where `s` is the callback's session, left-joined, and `c` the callback. */
export function visibleCallbacks(actor: StaffActor): RawBuilder<SqlBool> {
  if (actor.scope === 'all') return sql`true`;
  return sql`(${visibleSessions(actor, 's.assigned_user_id')} OR c.assigned_user_id = ${actor.userId})`;
}

/** `seesEvent`, where `e` is the event, `s` its session and `c` its callback, both left-joined. */
export function visibleEvents(actor: StaffActor): RawBuilder<SqlBool> {
  if (actor.scope === 'all') return sql`true`;
  return sql`(${visibleSessions(actor, 's.assigned_user_id')}
    OR (e.type = 'chat.callback.staff' AND c.assigned_user_id = ${actor.userId})
    OR (e.type = 'chat.session.assigned' AND ${visibleSessions(actor, 'e.previous_user_id')}
      AND NOT ${visibleSessions(actor, 'e.assigned_user_id')}))`;
}
