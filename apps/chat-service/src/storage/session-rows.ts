import { createHash } from 'node:crypto';
import type { Tables } from '@chat-realtime/database';
import type { Kysely, Selectable } from 'kysely';
import type { SessionRecord } from './session-record.ts';

export type SessionRow = Selectable<Tables['chat_session']>;

export function toRecord(row: SessionRow): SessionRecord {
  return {
    id: row.id,
    status: row.status,
    assignedUserId: row.assigned_user_id,
    assignedUserName: row.assigned_user_name,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastSeq: row.last_seq,
    version: row.version,
    unreadCount: row.client_msgs - row.team_client_msgs,
    lastMessageId: row.last_message_id,
    teamReadId: row.team_read_id,
    waitingSince: row.waiting_since,
    closedWaitingSince: row.closed_waiting_since,
    waitingRound: row.waiting_round,
    callbackPending: row.callback_pending,
    contact: { name: row.name, email: row.email, phone: row.phone },
    isContactErased: isContactErased(row),
    locale: row.locale,
    pageUrl: row.page_url,
    attributes: row.attributes,
    customerId: row.customer_id,
    revokedAt: row.revoked_at,
    resumeKeyHash: row.resume_key_hash,
    resumeKeyEnded: row.resume_key_ended_at !== null || row.customer_id !== null,
  };
}

function isContactErased({ contact_erased_at: erased, last_client_message_at: written }: SessionRow): boolean {
  return erased !== null && (written === null || written.getTime() <= erased.getTime());
}

export function hashResumeKey(resumeKey: string): string {
  return createHash('sha256').update(resumeKey).digest('base64url');
}

export async function readSession(db: Kysely<Tables>, sessionId: number): Promise<SessionRecord | null> {
  const row = await db.selectFrom('chat_session').selectAll().where('id', '=', sessionId).executeTakeFirst();
  return row === undefined ? null : toRecord(row);
}

export async function readSessionByResumeKey(db: Kysely<Tables>, resumeKey: string): Promise<SessionRecord | null> {
  const hash = hashResumeKey(resumeKey);
  const row = await db.selectFrom('chat_session').selectAll().where('resume_key_hash', '=', hash).executeTakeFirst();
  return row === undefined ? null : toRecord(row);
}

export async function readSessionsByCustomer(db: Kysely<Tables>, customerId: string): Promise<SessionRecord[]> {
  const rows = await db
    .selectFrom('chat_session')
    .selectAll()
    .where('customer_id', '=', customerId)
    .orderBy('updated_at', 'desc')
    .limit(100)
    .execute();
  return rows.map(toRecord);
}
