import { z } from 'zod';
import type { BadgeData, StaffPresenceData, Subscribers } from './events.ts';
import type { CountedBadge } from './internal.ts';

/** `assigned`: unassigned sessions and the operator's own. `own`: only the operator's own. */
export const staffScopeSchema = z.enum(['all', 'assigned', 'own']);
export type StaffScope = z.infer<typeof staffScopeSchema>;

export type PresenceUser = StaffPresenceData['users'][number];

export interface StaffViewer {
  readonly userId: string;
  readonly scope: StaffScope;
}

/**
 * The only rule of who may see a session. `assignedUserId` is the current assignee, null if there is none. SQL that
 * filters many rows repeats it in `chat-service/src/storage/visibility.ts`.
 */
export function seesSession(viewer: StaffViewer, assignedUserId: string | null): boolean {
  switch (viewer.scope) {
    case 'all':
      return true;
    case 'assigned':
      return assignedUserId === null || assignedUserId === viewer.userId;
    case 'own':
      return assignedUserId === viewer.userId;
  }
}

/**
 * A callback is visible like its session, and like an unassigned one if it has none. Its own assignee always sees it.
 */
export function seesCallback(
  viewer: StaffViewer,
  sessionUserId: string | null,
  callbackUserId: string | null,
): boolean {
  return callbackUserId === viewer.userId || seesSession(viewer, sessionUserId);
}

/** The current assignee of an event's session; undefined = not known here. `callback`: the assignee of the callback. */
export interface EventOwners {
  readonly session: string | null | undefined;
  readonly callback?: string | null;
}

/** By this assignment the viewer loses sight of a session that was theirs, or nobody's while they see those. */
function takesAway(viewer: StaffViewer, { previous_user_id: before, assigned_user_id: after }: Subscribers): boolean {
  return before !== undefined && seesSession(viewer, before) && !seesSession(viewer, after);
}

/** An event is judged by whose its session is now, except the assignment that took the session out of sight. */
export function seesEvent(
  viewer: StaffViewer,
  event: { readonly type: string; readonly subscribers?: Subscribers | null | undefined },
  owners: EventOwners,
): boolean {
  if (viewer.scope === 'all') return true;
  const { type, subscribers } = event;
  if (type === 'chat.session.assigned' && subscribers && takesAway(viewer, subscribers)) return true;
  if (owners.session === undefined) return false;
  return type === 'chat.callback.staff'
    ? seesCallback(viewer, owners.session, owners.callback ?? null)
    : seesSession(viewer, owners.session);
}

/** The badge as the viewer's own inbox would count it. */
export function badgeFor(viewer: StaffViewer, badge: CountedBadge): BadgeData {
  const { waiting, ...whole } = badge;
  if (viewer.scope === 'all') return whole;
  const { unassigned_unread: unassigned, mine_unread: mine } = whole;
  const own = mine[viewer.userId];
  const nobodys = seesSession(viewer, null);
  // For a source that does not report assignees of waiting sessions: at least unread ones are known.
  const waits = waiting ?? { unassigned, mine };
  return {
    ...whole,
    unassigned_unread: nobodys ? unassigned : 0,
    mine_unread: own === undefined ? {} : { [viewer.userId]: own },
    waiting_count: (nobodys ? waits.unassigned : 0) + (waits.mine[viewer.userId] ?? 0),
  };
}

/** Who is online, and of the sessions they view only those the viewer may see too. */
export function presenceFor(
  viewer: StaffViewer,
  users: readonly PresenceUser[],
  ownerOf: (sessionId: number) => string | null | undefined,
): readonly PresenceUser[] {
  if (viewer.scope === 'all') return users;
  return users.map((user) => {
    const { viewing, ...rest } = user;
    const owner = viewing === undefined ? undefined : ownerOf(viewing);
    return owner === undefined || !seesSession(viewer, owner) ? rest : user;
  });
}
