import type { StaffSession } from '@chat-realtime/protocol';
import { type RawBuilder, sql } from 'kysely';
import { renderMessage, renderSession, type StoredFile } from '../domain/render.ts';
import type { StorageContext } from './context.ts';
import { type SessionRow, toRecord } from './session-rows.ts';

type InboxRow = SessionRow & {
  client_delivered_id: number | null;
  client_read_id: number | null;
  message_created_at: Date | null;
  message_actor_id: string | null;
  message_actor_name: string | null;
  message_sender_type: string | null;
  message_body: string | null;
  message_client_id: string | null;
  message_attachments: StoredFile[] | null;
};

function toStaffSession(context: StorageContext, row: InboxRow): StaffSession {
  const record = toRecord(row);
  const lastMessage =
    row.message_created_at === null
      ? null
      : renderMessage(
          {
            id: row.last_message_id,
            created_at: row.message_created_at,
            actor_id: row.message_actor_id,
            actor_name: row.message_actor_name,
            sender_type: row.message_sender_type,
            body: row.message_body,
            client_message_id: row.message_client_id,
            attachments: row.message_attachments,
          },
          context.links,
        );
  return {
    ...renderSession(record),
    contact: record.contact,
    locale: record.locale,
    page_url: record.pageUrl,
    attributes: record.attributes,
    customer_id: record.customerId,
    updated_at: record.updatedAt.toISOString(),
    unread_count: record.unreadCount,
    waiting_since: record.waitingSince?.toISOString() ?? null,
    last_message: lastMessage,
    client_last_seen_id: row.client_delivered_id ?? 0,
    client_read_id: row.client_read_id ?? 0,
    staff_read_id: record.teamReadId,
  };
}

/** Sessions as operators see them. `condition` and `order` speak of `chat_session s`. */
export async function staffSessions(
  context: StorageContext,
  condition: RawBuilder<unknown>,
  order: RawBuilder<unknown>,
  limit: number,
): Promise<StaffSession[]> {
  const result = await sql<InboxRow>`
    SELECT s.*, m.delivered_id AS client_delivered_id, m.read_id AS client_read_id,
      e.created_at AS message_created_at, e.actor_id AS message_actor_id, e.actor_name AS message_actor_name,
      e.sender_type AS message_sender_type, e.body AS message_body, e.client_message_id AS message_client_id,
      e.attachments AS message_attachments
    FROM (SELECT s.* FROM chat_session s WHERE ${condition} ORDER BY ${order} LIMIT ${limit}::bigint) s
    LEFT JOIN chat_event e ON e.id = s.last_message_id
    LEFT JOIN chat_read_mark m ON m.session_id = s.id AND m.participant = 'client'
    ORDER BY ${order}`.execute(context.database.kysely);
  return result.rows.map((row) => toStaffSession(context, row));
}
