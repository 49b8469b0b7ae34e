import type { SiteStaff } from './site-staff.ts';
import type { ConnectionState, ReadableStore, TransportName } from './connection.ts';
import type { ChatMessage, HistoryState, ReadMarks, SentMessage, Typist } from './customer.ts';
import type { Environment } from './environment.ts';
import type { StaffTokenProvider } from './staff-token.ts';
import type { Attachment, AuthUser, Note, StaffEvent, StaffPresenceData, StaffSession } from './protocol.ts';
import type { ChatClientError } from '../errors.ts';

export type { StaffToken, StaffTokenProvider } from './staff-token.ts';

export type PresenceUser = StaffPresenceData['users'][number];

export interface BadgeCounters {
  /** Unassigned sessions with unread customer messages («Новые» in the console). */
  readonly unassigned: number;
  /** The same among the sessions of the signed-in operator («Мои»). */
  readonly mine: number;
  /** `unassigned + mine`: the number on «Чаты». */
  readonly unread: number;
  readonly waiting: number;
}

export interface StaffState {
  readonly connection: ConnectionState;
  readonly userId: string | null;
  /** Null until the server said it. */
  readonly badge: BadgeCounters | null;
  readonly users: readonly PresenceUser[];
  /** Who is typing, by session id. */
  readonly typing: Readonly<Record<number, readonly Typist[]>>;
  readonly degraded: string | null;
  readonly epoch: string | null;
  /** Resume point of the feed. */
  readonly cursor: string | null;
}

/** Events of one turn of the event loop, by session; key null: events without a session. */
export type InboxDelta = ReadonlyMap<number | null, readonly StaffEvent[]>;

export interface StaffEvents {
  /** Every event, in order inside a session and once. */
  event: StaffEvent;
  /** The same, batched: for a list that must not be rendered once per event. */
  inbox: InboxDelta;
  status: ConnectionState;
  /** Resuming failed: reload the inbox, then `connect(feed_cursor)`. Open conversations reload themselves. */
  reset: { readonly reason: string };
  /** Another side's delivered and read marks of a session. */
  read: {
    readonly sessionId: number;
    readonly by: 'client' | 'staff';
    readonly delivered_id: number;
    readonly read_id: number;
  };
  frame: unknown;
  error: Error;
}

export interface StaffClientOptions {
  readonly baseUrl?: string;
  readonly getToken: StaffTokenProvider;
  /** Where a site keeps its own chat, what operators do goes there. */
  readonly site?: SiteStaff | undefined;
  readonly transports?: readonly TransportName[];
  /** One connection for all tabs; default true. Include the user in `namespace` if several may use one browser. */
  readonly tabs?: boolean;
  readonly namespace?: string;
  readonly environment?: Partial<Environment>;
}

export interface StaffConversationState {
  readonly session: StaffSession | null;
  readonly messages: readonly ChatMessage[];
  readonly notes: readonly Note[];
  readonly history: HistoryState;
  readonly typing: readonly Typist[];
  /** Other operators who look at this session. */
  readonly viewers: readonly PresenceUser[];
  readonly readMarks: ReadMarks;
  /** Seq of the newest event applied: what `expected_seq` means. */
  readonly seq: number;
  /** Why it cannot be shown (`session_not_found` …); null while all is well. */
  readonly error: ChatClientError | null;
}

export interface StaffSendOptions {
  readonly attachments?: readonly Attachment[];
  /**
   * Stops the send when a colleague acted meanwhile: the message fails with `stale`, and `stored` rejects with the
   * missed events in `details`. Default: the conversation's `seq` as shown; null turns it off.
   */
  readonly expectedSeq?: number | null;
}

export interface StaffConversation extends ReadableStore<StaffConversationState> {
  readonly sessionId: number;
  readonly send: (text: string, options?: StaffSendOptions) => SentMessage;
  /** Sends a failed message again; after `stale` with the seq as it is shown now. */
  readonly retry: (key: string) => void;
  readonly discard: (key: string) => void;
  readonly setTyping: (active: boolean) => void;
  readonly markRead: (messageId?: number) => void;
  readonly loadOlder: () => Promise<void>;
  /** Reads session, newest messages and notes anew. */
  readonly reload: () => Promise<void>;
  readonly close: () => void;
}

export type StaffAuthState =
  | { readonly status: 'unknown' }
  | { readonly status: 'signed_out' }
  | { readonly status: 'signed_in'; readonly user: AuthUser };

export interface StaffAuthOptions {
  readonly baseUrl?: string;
  readonly namespace?: string;
  /** The site's own sign-in: an address answering `{access_token, expires_at}` by its cookie session. */
  readonly tokenUrl?: string;
  readonly environment?: Partial<Environment>;
}

/**
 * Sign-in of operators. Refreshes in one tab at a time: of two uses of one refresh token the second ends the sign-in.
 */
export interface StaffAuth extends ReadableStore<StaffAuthState> {
  /**
   * Rejects with `second_factor_required` where the account asks for a `code` too: ask for it, and call again with all
   * three.
   */
  readonly login: (login: string, password: string, code?: string) => Promise<AuthUser>;
  /** In a browser that came back from the identity provider (`/operator/#oidc=done`). */
  readonly loginByProvider: () => Promise<AuthUser>;
  readonly logout: () => Promise<void>;
  /** Give it to `createStaffClient`. Rejects with `missing_credentials` when signed out. */
  readonly getToken: StaffTokenProvider;
}

export interface BadgeState {
  readonly connection: ConnectionState;
  readonly counters: BadgeCounters | null;
}
export interface BadgeOptions {
  readonly baseUrl?: string;
  readonly getToken: StaffTokenProvider;
  readonly namespace?: string;
  readonly transports?: readonly TransportName[];
  readonly tabs?: boolean;
  /** How often `GET /chat/alerts` is asked while no stream works; default 15 s. */
  readonly pollMs?: number;
  /** The site's own counters, asked with its cookie in place of `GET /chat/alerts` while no stream works. */
  readonly alerts?: SiteAlerts;
  readonly environment?: Partial<Environment>;
}

/** Where a site answers its own counters, and what it calls them; `data.new` in `{data: {new}}`. */
export interface SiteAlerts {
  readonly url: string;
  /** Default `unassigned`. */
  readonly unassigned?: string;
  /** Default `mine`. */
  readonly mine?: string;
}
/** Counters of «Новые» and «Мои» for any staff page. */
export interface Badge extends ReadableStore<BadgeState> {
  readonly destroy: () => void;
}
