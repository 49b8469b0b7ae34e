import type { Transports } from './transport.ts';
import type { IssuedToken } from './connection.ts';
import type {
  Attachment,
  CallbackData,
  CallbackRequest,
  ConfigResponse,
  CreateSessionRequest,
  CreateSessionResponse,
  EventsResponse,
  IdentityResponse,
  Message,
  MessagesResponse,
  PostMessageRequest,
  Session,
} from './protocol.ts';

/** A session and the credential for it. */
export interface Access {
  readonly sessionId: number;
  readonly token: string;
}

/** Runs a call with a token that will live, and with the newest message that is shown. */
export type AskChat<T> = (call: (access: Access, newestId: number) => Promise<T>) => Promise<T>;

/** A browser `File`/`Blob`, or bytes with a name (Node, React Native). */
export type UploadFile = (Blob & { readonly name?: string }) | { readonly name: string; readonly bytes: Uint8Array };

export interface UploadOptions {
  /** Fraction 0…1. */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Every REST call of the customer's client. {@link restBackend} speaks to Chat Realtime, or by mapped paths and field
 * names to another chat-service; for anything else, implement this interface. Failures are {@link ChatClientError}.
 */
export interface Backend {
  readonly config: () => Promise<ConfigResponse>;
  readonly createSession: (request: CreateSessionRequest) => Promise<CreateSessionResponse>;
  /** A new channel token for a session that exists, by its resume key or the owner's identity token. */
  readonly getToken: (request: {
    sessionId: number;
    resumeKey?: string;
    identityToken?: string;
  }) => Promise<IssuedToken>;
  readonly session: (access: Access) => Promise<Session>;
  /** Messages ascending; without a bound the newest page. */
  readonly history: (access: Access, page: { beforeId?: number; limit?: number }) => Promise<MessagesResponse>;
  /** Events after a seq: closes gaps, and is the whole transport where nothing better works. */
  readonly poll: (access: Access, after: { afterSeq: number; limit?: number }) => Promise<EventsResponse>;
  /** For a chat-service without seq: opens the transports, which may then deliver messages on their own. */
  readonly lines?: (transports: Transports, ask: AskChat<Message[]>) => Transports;
  /** Null: it is stored, and comes as an event; asked again for the same `client_message_id` it sends nothing. */
  readonly send: (access: Access, message: PostMessageRequest) => Promise<Message | null>;
  /** A message as it arrived, under the id of the text that this device sent, if only the backend can tell. */
  readonly own?: (sessionId: number, message: Message) => Message;
  readonly markRead: (access: Access, lastId: number) => Promise<void>;
  /** Where the customer is now; a server that does not show it to its operators needs none. */
  readonly reportPage?: (access: Access, pageUrl: string) => Promise<void>;
  /** A callback request belongs to a chat: if there is none yet, one is started for it. */
  readonly callsInChat?: boolean;
  readonly requestCallback: (access: Access | null, request: CallbackRequest) => Promise<CallbackData>;
  readonly upload: (access: Access, file: UploadFile, options?: UploadOptions) => Promise<Attachment>;
  readonly identify: (request: {
    identity_token: string;
    token?: string;
    session_id?: number;
  }) => Promise<IdentityResponse>;
  readonly identityLogout: (identityToken: string) => Promise<void>;
}

/** Paths of a chat-service; `{id}` stands for the session id. A whole address may be given too. */
export interface BackendPaths {
  config: string;
  createSession: string;
  token: string;
  session: string;
  messages: string;
  events: string;
  read: string;
  callback: string;
  attachments: string;
  identity: string;
  identityLogout: string;
}

/** Where a foreign answer keeps a field of the contract: `{ body: 'text', created_at: 'date.iso' }`. */
export type FieldMap = Readonly<Record<string, string>>;

export interface BackendFields {
  session: FieldMap;
  message: FieldMap;
  /** Of the answers themselves: `{ messages: 'data.items', has_more: 'data.more' }`. */
  answer: FieldMap;
  /** Of what is sent, contract name → foreign name. */
  request: FieldMap;
}

export interface RestBackendOptions {
  /** Origin (and path prefix) of the chat; default: the page's own origin. */
  readonly baseUrl?: string;
  readonly paths?: Partial<BackendPaths>;
  readonly fields?: Partial<BackendFields>;
  readonly fetch?: typeof globalThis.fetch;
  /** Further headers of every call, for a foreign chat-service. */
  readonly headers?: () => Record<string, string>;
}
