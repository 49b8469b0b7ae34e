import type { Answer, StaffSession } from '@chat-realtime/protocol';
import { type RawBuilder, sql } from 'kysely';
import { renderMessage, renderSession, type StoredFile } from '../storage/render.ts';
import { consentProof } from '../consent/consent-texts.ts';
import type { StorageContext } from '../storage/context.ts';
import { boundedRows, textBytes } from '../storage/page-bytes.ts';
import { type SessionRow, toRecord } from '../storage/session-rows.ts';

/** A list shows one line of the newest message; the route of the session has all of it. */
const PREVIEW_CHARACTERS = 500;

/** What an operator's list needs of a session: without the data of the site and the visitor beside the contact. */
type ListedSession = Omit<SessionRow, 'attributes' | 'consent' | 'resume_key_hash' | 'resume_key_ended_at'>;
/** All of them: a missing column does not compile. */
const LISTED: Readonly<Record<keyof ListedSession, true>> = {
  id: true,
  status: true,
  assigned_user_id: true,
  assigned_user_name: true,
  assigned_at: true,
  created_at: true,
  updated_at: true,
  closed_at: true,
  last_seq: true,
  version: true,
  client_msgs: true,
  team_client_msgs: true,
  team_read_id: true,
  last_message_id: true,
  last_client_message_at: true,
  waiting_since: true,
  closed_waiting_since: true,
  waiting_round: true,
  callback_pending: true,
  name: true,
  email: true,
  phone: true,
  locale: true,
  page_url: true,
  current_page_url: true,
  current_page_at: true,
  customer_id: true,
  revoked_at: true,
  site_owned: true,
  contact_erased_at: true,
  texts_erased_seq: true,
  files_erased_seq: true,
};

type InboxRow = ListedSession & {
  attributes?: Record<string, unknown>;
  answers?: Answer[] | null;
  consent?: unknown;
  client_delivered_id: number | null;
  client_read_id: number | null;
  in_telegram: boolean;
  telegram_blocked_at: Date | null;
  message_event_id: number | null;
  message_site_id: number | null;
  message_created_at: Date | null;
  message_actor_id: string | null;
  message_actor_name: string | null;
  message_sender_type: string | null;
  message_body: string | null;
  message_client_id: string | null;
  message_attachments: StoredFile[] | null;
};

function toStaffSession(context: StorageContext, row: InboxRow): StaffSession {
  const record = toRecord({
    ...row,
    attributes: row.attributes ?? {},
    consent: null,
    resume_key_hash: null,
    resume_key_ended_at: null,
  });
  const lastMessage =
    row.message_event_id === null || row.message_created_at === null
      ? null
      : renderMessage(
          {
            id: row.message_event_id,
            message_id: row.message_site_id,
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
    current_page_url: row.current_page_url,
    current_page_at: row.current_page_at?.toISOString() ?? null,
    ...(row.attributes === undefined ? {} : { attributes: row.attributes }),
    ...(row.answers === undefined ? {} : { answers: row.answers ?? [] }),
    customer_id: record.customerId,
    telegram: row.in_telegram ? { blocked_at: row.telegram_blocked_at?.toISOString() ?? null } : null,
    updated_at: record.updatedAt.toISOString(),
    unread_count: record.unreadCount,
    waiting_since: record.waitingSince?.toISOString() ?? null,
    last_message: lastMessage,
    client_last_seen_id: row.client_delivered_id ?? 0,
    client_read_id: row.client_read_id ?? 0,
    staff_read_id: record.teamReadId,
  };
}

const MESSAGE_OF = sql`m.delivered_id AS client_delivered_id, m.read_id AS client_read_id,
  t.id IS NOT NULL AS in_telegram, t.blocked_at AS telegram_blocked_at,
  e.id AS message_event_id, e.message_id AS message_site_id, e.created_at AS message_created_at, e.actor_id AS message_actor_id, e.actor_name AS message_actor_name,
  e.sender_type AS message_sender_type, e.client_message_id AS message_client_id, e.attachments AS message_attachments`;
const JOINED = sql`LEFT JOIN LATERAL (SELECT * FROM chat_event m WHERE m.session_id = s.id AND m.type = 'chat.message' ORDER BY m.id DESC LIMIT 1) e ON true
  LEFT JOIN chat_read_mark m ON m.session_id = s.id AND m.participant = 'client'
  LEFT JOIN customer_telegram t ON t.session_id = s.id`;
const BYTES = sql`(${textBytes('name', 'email', 'phone', 'page_url', 'current_page_url', 'assigned_user_name', 'message_body')} + 600
  + COALESCE(octet_length(r.message_attachments::text) + 300 * jsonb_array_length(r.message_attachments), 0))`;

/**
 * Sessions as operators see them in lists. `condition` refers to `chat_session s`; `order` sorts the rows of whichever
 * alias it is given.
 */
export async function staffSessionList(
  context: StorageContext,
  condition: RawBuilder<unknown>,
  order: (alias: 's' | 'r') => RawBuilder<unknown>,
  limit: number,
): Promise<{ sessions: StaffSession[]; more: boolean }> {
  const columns = sql.raw(
    Object.keys(LISTED)
      .map((column) => `s.${column}`)
      .join(', '),
  );
  const { rows, more } = await boundedRows<InboxRow>(context.database.kysely, {
    rows: sql`SELECT ${columns}, ${MESSAGE_OF}, left(e.body, ${PREVIEW_CHARACTERS}) AS message_body
      FROM (SELECT ${columns} FROM chat_session s WHERE ${condition} ORDER BY ${order('s')} LIMIT ${limit + 1}::bigint) s ${JOINED}`,
    bytes: BYTES,
    order: order('r'),
    limit,
  });
  return { sessions: rows.map((row) => toStaffSession(context, row)), more };
}

/** One session with all that staff may see of it. */
export async function staffSession(context: StorageContext, sessionId: number): Promise<StaffSession | undefined> {
  const result = await sql<InboxRow>`SELECT s.*, ${MESSAGE_OF}, e.body AS message_body,
      (SELECT a.answers FROM chat_answer a WHERE a.session_id = s.id) AS answers FROM chat_session s ${JOINED}
    WHERE s.id = ${sessionId}::bigint`.execute(context.database.kysely);
  const row = result.rows[0];
  if (row === undefined) return undefined;
  const consent = await consentProof(context.database.kysely, row.consent, row.created_at);
  return { ...toStaffSession(context, row), consent };
}
