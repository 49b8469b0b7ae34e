import type { Statement } from '@chat-realtime/database';
import type { Hop } from '@chat-realtime/protocol';

export interface EventRow {
  readonly seq: number;
  readonly type: string;
  readonly created_at: Date;
  /** Null for an event that is no message: nobody acknowledges or reads it by itself. */
  readonly message_id: number | null;
}

export const EVENT: Statement = {
  name: 'trace-event',
  text: `SELECT seq, type, created_at, CASE WHEN type = 'chat.message' THEN COALESCE(message_id, id) END AS message_id
           FROM chat_event WHERE session_id = $1 AND seq IS NOT NULL
            AND (seq = $2::bigint OR (type = 'chat.message' AND COALESCE(message_id, id) = $3::bigint)) LIMIT 1`,
};

export interface MarkRow {
  readonly participant: string;
  readonly delivered_id: number;
  readonly read_id: number;
  readonly updated_at: Date;
  readonly message_id: number;
}

export const MARKS: Statement = {
  name: 'trace-marks',
  text: `SELECT participant, delivered_id, read_id, updated_at, $2::bigint AS message_id FROM chat_read_mark
          WHERE session_id = $1 AND (delivered_id >= $2 OR read_id >= $2) ORDER BY updated_at LIMIT 50`,
};

/** A mark that stands beyond the message has moved since: its time is the latest at which it can have reached it. */
export function acksAndReads(marks: readonly MarkRow[]): Hop[] {
  return marks.flatMap(({ participant, delivered_id, read_id, updated_at, message_id }) => {
    const at = updated_at.toISOString();
    const step = (hop: 'acked' | 'read', id: number): Hop[] => {
      if (id < message_id) return [];
      const sure = id === message_id && (hop === 'read' || read_id < message_id);
      return [{ hop, at, where: 'database', to: participant, ...(sure ? {} : { or_before: true }) }];
    };
    return [...step('acked', delivered_id), ...step('read', read_id)];
  });
}
