import type { BadgeData } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../domain/actors.ts';
import type { Alerts } from '../domain/operation-types.ts';
import { scopeUser, type StorageContext } from './context.ts';
import { translated } from './errors.ts';

/** Counted from the rows each time, never kept: a number that is counted cannot drift. */
export function badge(context: StorageContext): Promise<BadgeData> {
  return translated(async () => {
    const result = await sql<{ assigned_user_id: string | null; sessions: number; waiting: boolean }>`
      SELECT assigned_user_id, count(*) AS sessions, false AS waiting FROM chat_session
       WHERE status <> 'closed' AND client_msgs > team_client_msgs GROUP BY assigned_user_id
      UNION ALL SELECT NULL, count(*), true FROM chat_session WHERE waiting_since IS NOT NULL
      ORDER BY 1`.execute(context.database.kysely);
    const data: BadgeData = { reason: 'badge', unassigned_unread: 0, mine_unread: {}, waiting_count: 0 };
    for (const row of result.rows) {
      if (row.waiting) data.waiting_count = row.sessions;
      else if (row.assigned_user_id === null) data.unassigned_unread = row.sessions;
      else data.mine_unread[row.assigned_user_id] = row.sessions;
    }
    return data;
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
  const scope = scopeUser(actor);
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
               AND (${scope}::text IS NULL OR assigned_user_id IS NULL OR assigned_user_id = ${scope})) open`.execute(
      context.database.kysely,
    );
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
