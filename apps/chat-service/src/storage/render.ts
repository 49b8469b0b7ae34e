import {
  type BrokerEvent,
  customerFrame,
  type FramedEvent,
  type Message,
  messageSchema,
  ROUTING_KEYS,
  type RoutingKey,
  type Session,
  type SessionEvent,
  type StaffEvent,
  staffFrame,
  type Subscribers,
} from '@chat-realtime/protocol';
import type { SessionRecord } from './session-record.ts';
import type { AttachmentLinks } from '../ports.ts';

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  readonly mime: string;
  readonly size: number;
  readonly width?: number;
  readonly height?: number;
  /** Of a file that a site keeps. */
  readonly url?: string;
}

/** A row of `chat_event`: what every frame, page and broker message of the event is made from. */
export interface EventRow {
  readonly id: number;
  readonly session_id: number | null;
  readonly seq: number | null;
  readonly type: string;
  readonly created_at: Date;
  readonly actor_id: string | null;
  readonly actor_name: string | null;
  readonly sender_type: string | null;
  readonly body: string | null;
  readonly client_message_id: string | null;
  readonly attachments: readonly StoredFile[] | null;
  readonly data: Record<string, unknown> | null;
  readonly staff_data: Record<string, unknown> | null;
  readonly assigned_user_id: string | null;
  readonly previous_user_id: string | null;
  /** The message's id where a site gave it one. */
  readonly message_id: number | null;
}

type MessageRow = Pick<
  EventRow,
  | 'id'
  | 'created_at'
  | 'actor_id'
  | 'actor_name'
  | 'sender_type'
  | 'body'
  | 'client_message_id'
  | 'attachments'
  | 'message_id'
>;

/** One shape for all readers, so that every observer is shown the same bytes. */
export function renderMessage(row: MessageRow, links: AttachmentLinks): Message {
  const files = row.attachments ?? [];
  return {
    id: row.message_id ?? row.id,
    sender_type: messageSchema.shape.sender_type.parse(row.sender_type),
    sender_id: row.actor_id,
    sender_name: row.actor_name,
    body: row.body ?? '',
    attachments: files.map((file) => ({ ...file, url: file.url ?? links.url(file.id) })),
    created_at: row.created_at.toISOString(),
    client_message_id: row.client_message_id,
  };
}

export function renderSession(session: SessionRecord): Session {
  return {
    id: session.id,
    status: session.status,
    created_at: session.createdAt.toISOString(),
    assigned_user_id: session.assignedUserId,
    assigned_user_name: session.assignedUserName,
    last_seq: session.lastSeq,
    version: session.version,
    callback_pending: session.callbackPending,
  };
}

function eventData(row: EventRow, links: AttachmentLinks): Record<string, unknown> {
  if (row.type === 'chat.message') return { ...renderMessage(row, links) };
  if (row.type === 'chat.note') {
    return {
      id: row.id,
      session_id: row.session_id,
      author_id: row.actor_id,
      author_name: row.actor_name,
      body: row.body ?? '',
      created_at: row.created_at.toISOString(),
    };
  }
  return row.data ?? {};
}

export function subscribersOf(row: EventRow): Subscribers {
  const subscribers = { session_id: row.session_id, assigned_user_id: row.assigned_user_id };
  const tellsPrevious = row.type === 'chat.session.assigned' || row.previous_user_id !== null;
  return tellsPrevious ? { ...subscribers, previous_user_id: row.previous_user_id } : subscribers;
}

type FedRow = EventRow & { readonly feed_seq: number };

function framedEvent(row: EventRow & { readonly feed_seq?: number }, links: AttachmentLinks): FramedEvent {
  return {
    type: row.type,
    session_id: row.session_id,
    seq: row.seq,
    ...(row.feed_seq !== undefined && { feed_seq: row.feed_seq }),
    ...(row.seq === null && { feed_id: row.id }),
    data: eventData(row, links),
    subscribers: subscribersOf(row),
    ...(row.staff_data !== null && { staff_data: row.staff_data }),
  };
}

/**
 * A frame of the session's channel. The row was written through this module, so its data has the shape of its type; the
 * union cannot be narrowed from a column.
 */
export function renderSessionEvent(row: EventRow, links: AttachmentLinks): SessionEvent {
  const frame: unknown = customerFrame(framedEvent(row, links));
  return frame as SessionEvent;
}

/** A frame of the staff channel and a row of the feed. */
export function renderStaffEvent(row: FedRow, links: AttachmentLinks): StaffEvent {
  const frame: unknown = staffFrame(framedEvent(row, links));
  return frame as StaffEvent;
}

export function renderBrokerEvent(row: FedRow, links: AttachmentLinks): BrokerEvent {
  return { v: 1, ...framedEvent(row, links), occurred_at: row.created_at.toISOString() };
}

export function routingKeyOf(row: Pick<EventRow, 'type'>): Exclude<RoutingKey, 'chat.ephemeral'> {
  return row.type === 'chat.message' ? ROUTING_KEYS.messageSent : ROUTING_KEYS.sessionUpdated;
}
