import type { Session } from '@chat-realtime/protocol';
import type { SessionRecord } from '../domain/index.ts';

/** What a customer may know of a session. */
export function publicSession(record: SessionRecord): Session {
  return {
    id: record.id,
    status: record.status,
    created_at: record.createdAt.toISOString(),
    assigned_user_id: record.assignedUserId,
    assigned_user_name: record.assignedUserName,
    last_seq: record.lastSeq,
    version: record.version,
    callback_pending: record.callbackPending,
  };
}
