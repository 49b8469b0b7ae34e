import type { StaffSession } from '@chat-realtime/client/staff';
import { type ViewName, VIEWS } from '../names.ts';

export type SortName = 'waiting' | 'activity';

export const isView = (text: string | undefined): text is ViewName => VIEWS.some((view) => view === text);

export function belongs(session: StaffSession, view: ViewName, userId: string | null): boolean {
  if (view === 'closed') return session.status === 'closed';
  if (session.status === 'closed') return false;
  if (view === 'unassigned') return session.assigned_user_id === null;
  return view === 'all' || session.assigned_user_id === userId;
}

const LAST = Number.POSITIVE_INFINITY;

/** The longest wait first, sessions that do not wait last. Ties, and the other order: the newest event first. */
function sorted(sessions: readonly StaffSession[], sort: SortName): StaffSession[] {
  // Times are read once per row, not once per comparison: there may be thousands.
  const keyed = sessions.map((session) => ({
    session,
    waits: sort === 'waiting' && session.waiting_since !== null ? Date.parse(session.waiting_since) : LAST,
    active: Date.parse(session.updated_at),
  }));
  keyed.sort((a, b) => {
    if (a.waits !== b.waits) return a.waits - b.waits;
    return b.active - a.active || b.session.id - a.session.id;
  });
  return keyed.map(({ session }) => session);
}

export interface RowsWanted {
  readonly view: ViewName;
  readonly sort: SortName;
  readonly userId: string | null;
  /** The chat that is open: it stays in the list it was opened from, even if it is claimed or closed. */
  readonly keep?: number | null;
}

export function rowsOf(
  sessions: ReadonlyMap<number, StaffSession>,
  { view, sort, userId, keep = null }: RowsWanted,
): StaffSession[] {
  return sorted(
    [...sessions.values()].filter((session) => session.id === keep || belongs(session, view, userId)),
    sort,
  );
}

/**
 * The order while the pointer is over the list: rows keep their places, including those that no longer belong here, and
 * new ones are added below, so that a click hits the intended row.
 */
export function heldOrder(
  rows: readonly StaffSession[],
  shown: readonly number[],
  sessions: ReadonlyMap<number, StaffSession>,
): StaffSession[] {
  const kept = shown.flatMap((id) => sessions.get(id) ?? []);
  const known = new Set(shown);
  return [...kept, ...rows.filter((session) => !known.has(session.id))];
}

export type ViewCounts = Readonly<Record<Exclude<ViewName, 'closed'>, number>>;

export function countsOf(sessions: ReadonlyMap<number, StaffSession>, userId: string | null): ViewCounts {
  const counts = { mine: 0, unassigned: 0, all: 0 };
  for (const session of sessions.values()) {
    if (session.status === 'closed') continue;
    counts.all += 1;
    if (session.assigned_user_id === null) counts.unassigned += 1;
    else if (session.assigned_user_id === userId) counts.mine += 1;
  }
  return counts;
}

/** What the badge must be by the rows; a difference to the server's number means that a row is out of date. */
export function unreadSessions(sessions: ReadonlyMap<number, StaffSession>, userId: string | null): number {
  let count = 0;
  for (const session of sessions.values()) {
    const own = session.assigned_user_id === null || session.assigned_user_id === userId;
    if (own && session.status !== 'closed' && session.unread_count > 0) count += 1;
  }
  return count;
}
