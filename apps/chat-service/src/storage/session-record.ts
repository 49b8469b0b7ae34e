import type {
  AcksRequest,
  Answer,
  Contact,
  Message,
  Session,
  SessionEvent,
  StaffEvent,
  StaffSession,
} from '@chat-realtime/protocol';
import type { SolvedChallenge } from '../challenge/start-challenge.ts';

export interface NewSession {
  readonly name?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly phone?: string | null | undefined;
  readonly locale?: string | null | undefined;
  readonly pageUrl?: string | null | undefined;
  readonly attributes?: Record<string, unknown> | null | undefined;
  /** To the site's own questions. */
  readonly answers?: readonly Answer[] | undefined;
  readonly consent?: unknown;
  /** Made by the caller when the client brought none; only its hash is stored. */
  readonly resumeKey: string;
  readonly customerId?: string | null | undefined;
  /** The visitor's page; absent if it is unknown, as with a chat that the demo makes. */
  readonly address?: string | undefined;
  /** The key that opens this chat and no other. */
  readonly challenge?: SolvedChallenge | undefined;
  readonly message?: { readonly body: string; readonly clientMessageId: string } | undefined;
  readonly traceparent?: string | undefined;
}

export interface SessionCreated {
  readonly session: Session;
  readonly created: boolean;
  /** The session's last revocation, read in the transaction that accepted the resume key. */
  readonly revokedAt: number | null;
  readonly message?: Message;
}

/** Everything the server stores about a session. */
export interface SessionRecord {
  readonly id: number;
  readonly status: string;
  readonly assignedUserId: string | null;
  readonly assignedUserName: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastSeq: number;
  readonly version: number;
  readonly unreadCount: number;
  readonly lastMessageId: number;
  readonly teamReadId: number;
  readonly waitingSince: Date | null;
  /** Since when the customer waited as the session was closed; brought back when an operator reopens it. */
  readonly closedWaitingSince: Date | null;
  readonly waitingRound: number;
  readonly callbackPending: boolean;
  readonly contact: Contact;
  /** Erased, and the customer has written nothing since: the site's data about them are not stored. */
  readonly isContactErased: boolean;
  readonly locale: string | null;
  readonly pageUrl: string | null;
  readonly attributes: Record<string, unknown>;
  readonly customerId: string | null;
  /** Channel tokens made at or before this unix second are refused; a new one must be made later than it. */
  readonly revokedAt: number | null;
  readonly resumeKeyHash: string | null;
  /** The key opens nothing any more: the session was revoked, or became a customer's. */
  readonly resumeKeyEnded: boolean;
}

export interface PostMessage {
  readonly body: string;
  readonly clientMessageId: string;
  readonly attachments?: readonly string[] | undefined;
  readonly expectedSeq?: number | undefined;
  /** The customer's address; absent for staff and if it is unknown, as with Telegram. */
  readonly address?: string | undefined;
  readonly traceparent?: string | undefined;
}

export interface PostedMessage {
  readonly message: Message;
  readonly seq: number;
  /** False: known `client_message_id`, the stored message is answered. */
  readonly created: boolean;
}

export interface HistoryPage {
  readonly messages: Message[];
  readonly has_more: boolean;
}
export interface EventsPage {
  readonly events: SessionEvent[];
  readonly last_seq: number;
  readonly has_more: boolean;
}
export interface FeedPage {
  readonly events: StaffEvent[];
  readonly cursor: string;
  readonly has_more: boolean;
}

export interface SessionListQuery {
  /** Comma-separated states. */
  readonly status?: string | undefined;
  readonly assigned?: string | undefined;
  readonly q?: string | undefined;
  readonly sort: 'waiting' | 'activity' | 'created';
  readonly limit: number;
  readonly page?: string | undefined;
}
export interface SessionListPage {
  readonly sessions: StaffSession[];
  readonly next_page: string | null;
  readonly feed_cursor: string;
}

/** The answer of `GET /chat/alerts` but for `callbacks_due` and `alerts`, which their own modules know. */
export interface Alerts {
  readonly unread_count: number;
  readonly unassigned_unread: number;
  readonly mine_unread: number;
  readonly waiting_count: number;
  readonly oldest_waiting_since: string | null;
  readonly has_new_dialogs: boolean;
  readonly has_my_updates: boolean;
}

export type Acks = AcksRequest;
