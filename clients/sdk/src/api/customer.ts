import type { Backend, UploadFile, UploadOptions } from './backend.ts';
import type { ConnectionState, ReadableStore, TransportName, Unsubscribe } from './connection.ts';
import type { Environment } from './environment.ts';
import type { ChatClientErrorCode } from '../errors.ts';
import type {
  Attachment,
  CallbackData,
  CallbackRequest,
  ConfigResponse,
  CreateSessionRequest,
  Message,
  Session,
  SessionEvent,
} from './protocol.ts';

/** `sending` until stored, `sent` from then on, then as far as the other side's marks reach. */
export type DeliveryState = 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

/** A message as shown: from the server's history, or still in the outbox (`id` null). Wire fields keep their names. */
export interface ChatMessage extends Omit<Message, 'id'> {
  /** Stays the same while a message goes from outbox to history: use it as the key when rendering. */
  readonly key: string;
  readonly id: number | null;
  /** Written by this side (customer's client: the customer; staff: any operator). */
  readonly own: boolean;
  /** Null for messages of the other side. */
  readonly delivery: DeliveryState | null;
  /** Why a failed one failed. */
  readonly error: ChatClientErrorCode | null;
}

export interface Marks {
  readonly delivered_id: number;
  readonly read_id: number;
}
export interface ReadMarks {
  readonly client: Marks;
  readonly staff: Marks;
}
export interface Typist {
  readonly by: 'client' | 'staff';
  readonly user_id: string | null;
  readonly name: string | null;
}
export interface HistoryState {
  /** The newest page has been shown once. */
  readonly loaded: boolean;
  readonly loading: boolean;
  readonly hasOlder: boolean;
  /** The last load failed. The newest page is retried automatically, older pages on demand. */
  readonly failed: boolean;
}

export interface ChatState {
  readonly connection: ConnectionState;
  readonly session: Session | null;
  readonly messages: readonly ChatMessage[];
  readonly history: HistoryState;
  /** Operators' messages after the customer's read mark. */
  readonly unread: number;
  readonly typing: readonly Typist[];
  readonly operatorsOnline: number;
  readonly readMarks: ReadMarks;
  /** Why delivery is slower than usual. For display only. */
  readonly degraded: string | null;
  readonly epoch: string | null;
  readonly identified: boolean;
}

export type Prechat = Pick<
  CreateSessionRequest,
  'name' | 'email' | 'phone' | 'locale' | 'page_url' | 'attributes' | 'answers' | 'consent'
>;

export interface SentMessage {
  readonly clientMessageId: string;
  /**
   * Settles when the server has stored it, however long that takes; rejects when it failed for good or was discarded.
   */
  readonly stored: Promise<Message>;
}

export interface ChatEvents {
  /** A message from the other side that came after the page was opened; not for history. */
  message: ChatMessage;
  status: ConnectionState;
  session: Session | null;
  /** Every event applied, in order and once. */
  event: SessionEvent;
  /** History was reloaded (another database, or a cursor the server does not know). */
  reset: { readonly reason: string };
  /** Every frame as it came, for diagnosis. */
  frame: unknown;
  error: Error;
}

export interface ChatClientOptions {
  /** Origin (and path prefix) of the chat; default: the page's own origin. */
  readonly baseUrl?: string;
  /** Default: {@link restBackend} with the same `baseUrl`. */
  readonly backend?: Backend;
  /** Separates two chats on one origin; default `default`. Part of every storage key and lock name. */
  readonly namespace?: string;
  /** Default: all four, in this order. */
  readonly transports?: readonly TransportName[];
  /** One connection for all tabs, where the browser can; default true. */
  readonly tabs?: boolean;
  /**
   * Connect automatically if an earlier visit left a session; default true. Without one nothing is opened or stored.
   */
  readonly autoConnect?: boolean;
  /**
   * False: the page knows that nobody is signed in. The chat of a signed-in customer is then deleted on this device,
   * not only hidden.
   */
  readonly signedIn?: boolean | undefined;
  /** Sent along when the first `send` starts the session. */
  readonly prechat?: () => Prechat;
  readonly environment?: Partial<Environment>;
}

export interface ChatClient extends ReadableStore<ChatState> {
  /** Settles when the data stored by an earlier visit have been read; `getState()` is complete from then on. */
  readonly ready: Promise<void>;
  readonly config: () => Promise<ConfigResponse>;
  /** Starts a chat, or returns to the stored one. `send` does it automatically. */
  readonly start: (prechat?: Prechat) => Promise<Session>;
  /** Puts the message into the outbox and shows it at once. `attachments` are the results of {@link upload}. */
  readonly send: (text: string, attachments?: readonly Attachment[]) => SentMessage;
  /** Sends a failed message again under the same id, by its `key`. */
  readonly retry: (key: string) => void;
  /** Removes an unsent message from the outbox, by its `key`. */
  readonly discard: (key: string) => void;
  /** Call on each key stroke; coalesced, and ends automatically after 5 s. */
  readonly setTyping: (active: boolean) => void;
  /** The customer has seen the messages up to this id; default: all. */
  readonly markRead: (messageId?: number) => void;
  /** The page the customer is on, for the operators; no effect while there is no chat. */
  readonly reportPage: (pageUrl: string) => Promise<void>;
  readonly loadOlder: () => Promise<void>;
  readonly requestCallback: (request: Omit<CallbackRequest, 'session_id'>) => Promise<CallbackData>;
  /** A file with an address that is valid now: those that came with its message expire after a day. */
  readonly attachment: (messageId: number, attachmentId: string) => Promise<Attachment>;
  readonly upload: (file: UploadFile, options?: UploadOptions) => Promise<Attachment>;
  /** Signs the customer in with a token of the site's server; called again whenever one is needed. */
  readonly identify: (getIdentityToken: () => Promise<string>) => Promise<Session | null>;
  /** Revokes the customer's tokens (if identified) and forgets everything on this device, in every tab. */
  readonly logout: () => Promise<void>;
  /**
   * Opens the chat of a mail link, with the code behind its `#chat-return=`; the code works once. Rejects with
   * `bad_credentials` if it was used or has expired, and with `signed_in`, the code still unused, if a signed-in
   * customer's chat is open here.
   */
  readonly openMailLink: (code: string) => Promise<Session>;
  /**
   * The chat up to now as a text file. With `email` it is mailed there instead (`config().elsewhere.mail`), and the
   * answer is null. Rejects with `rate_limited` after a few in an hour.
   */
  readonly transcript: (email?: string) => Promise<Blob | null>;
  /** An address that opens the chat's bot with this chat, once (`config().elsewhere.telegram`). */
  readonly telegramLink: () => Promise<{ readonly url: string; readonly expires_at: string }>;
  /**
   * Registers this device for push notifications of replies in the open chat. `subscribePush` of
   * `@chat-realtime/client/push` makes a subscription.
   */
  readonly addDevice: (subscription: PushSubscriptionJSON & { device?: string; locale?: string }) => Promise<void>;
  /** Removes it again, by the subscription's endpoint. */
  readonly removeDevice: (endpoint: string) => Promise<void>;
  readonly connect: () => void;
  readonly disconnect: () => void;
  /** Closes the connection and removes timers and listeners. Stored data is kept. */
  readonly destroy: () => void;
  readonly on: <K extends keyof ChatEvents>(event: K, listener: (payload: ChatEvents[K]) => void) => Unsubscribe;
}
