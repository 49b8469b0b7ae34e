import type { CountedBadge } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../actors.ts';
import type { Alerts } from '../storage/session-record.ts';
import type { StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { runNamed } from '../storage/run-in.ts';
import { visibleSessions } from '../storage/visibility.ts';

/** Counted from the rows each time, never kept: a number that is counted cannot drift. */
export function badge(context: StorageContext): Promise<CountedBadge> {
  return translated(async () => {
    const statement = sql<{ assigned_user_id: string | null; sessions: number; waiting: boolean | null }>`
      SELECT assigned_user_id, count(*) AS sessions, false AS waiting FROM chat_session
       WHERE status <> 'closed' AND client_msgs > team_client_msgs GROUP BY assigned_user_id
      UNION ALL SELECT assigned_user_id, count(*), true FROM chat_session WHERE waiting_since IS NOT NULL GROUP BY assigned_user_id
      UNION ALL SELECT NULL, stamped, NULL FROM feed_head
      ORDER BY 1`;
    const rows = await runNamed(context.database, 'badge', statement);
    const unread = { unassigned: 0, mine: Object.create(null) as Record<string, number> };
    const waiting = { unassigned: 0, mine: Object.create(null) as Record<string, number> };
    let waitingCount = 0;
    let feedSeq = 0;
    for (const row of rows) {
      if (row.waiting === null) {
        feedSeq = row.sessions;
        continue;
      }
      const counts = row.waiting ? waiting : unread;
      if (row.waiting) waitingCount += row.sessions;
      if (row.assigned_user_id === null) counts.unassigned = row.sessions;
      else counts.mine[row.assigned_user_id] = row.sessions;
    }
    return {
      reason: 'badge',
      unassigned_unread: unread.unassigned,
      mine_unread: unread.mine,
      waiting_count: waitingCount,
      feed_seq: feedSeq,
      waiting,
    };
  });
}

interface AlertRow {
  unassigned_unread: number;
  mine_unread: number;
  waiting_count: number;
  oldest_waiting_since: Date | null;
  new_dialogs: boolean | null;
  my_updates: boolean | null;
}

export function alerts(context: StorageContext, actor: StaffActor, since: Date | null): Promise<Alerts> {
  return translated(async () => {
    const result = await sql<AlertRow>`
      SELECT count(*) FILTER (WHERE unread AND assigned_user_id IS NULL) AS unassigned_unread,
        count(*) FILTER (WHERE unread AND assigned_user_id = ${actor.userId}) AS mine_unread,
        count(*) FILTER (WHERE waiting_since IS NOT NULL) AS waiting_count,
        min(waiting_since) AS oldest_waiting_since,
        bool_or(unread AND assigned_user_id IS NULL AND (${since}::timestamptz IS NULL OR last_client_message_at > ${since}::timestamptz)) AS new_dialogs,
        bool_or(unread AND assigned_user_id = ${actor.userId} AND (${since}::timestamptz IS NULL OR last_client_message_at > ${since}::timestamptz)) AS my_updates
      FROM (SELECT assigned_user_id, waiting_since, last_client_message_at, client_msgs > team_client_msgs AS unread FROM chat_session
             WHERE status <> 'closed' AND (client_msgs > team_client_msgs OR waiting_since IS NOT NULL)
               AND ${visibleSessions(actor, 'assigned_user_id')}) open`.execute(context.database.kysely);
    const [row] = result.rows;
    const unassigned = row?.unassigned_unread ?? 0;
    const mine = row?.mine_unread ?? 0;
    return {
      unread_count: unassigned + mine,
      unassigned_unread: unassigned,
      mine_unread: mine,
      waiting_count: row?.waiting_count ?? 0,
      oldest_waiting_since: row?.oldest_waiting_since?.toISOString() ?? null,
      has_new_dialogs: row?.new_dialogs === true,
      has_my_updates: row?.my_updates === true,
    };
  });
}
