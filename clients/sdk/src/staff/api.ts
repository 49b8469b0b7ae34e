import type { StaffTokenProvider } from '../api/staff.ts';
import type { UploadFile, UploadOptions } from '../api/backend.ts';
import type {
  AlertsResponse,
  Attachment,
  AuthUser,
  CallbackPatch,
  CallbackStaff,
  CallbacksResponse,
  ConfigResponse,
  EventsResponse,
  FeedResponse,
  Message,
  MessagesResponse,
  Note,
  NotesResponse,
  OperatorsResponse,
  PostMessageRequest,
  Session,
  SessionListResponse,
  StaffEvent,
  StaffSession,
} from '../api/protocol.ts';

export interface SessionQuery {
  readonly status?: string;
  readonly assigned?: string;
  readonly q?: string;
  readonly sort?: 'waiting' | 'activity' | 'created';
  readonly limit?: number;
  readonly page?: string;
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface StaffApiOptions {
  readonly baseUrl?: string;
  readonly getToken: StaffTokenProvider;
  readonly fetch?: typeof globalThis.fetch;
}

/** Staff calls of REST. A refused token is replaced once by `getToken({force: true})`. Failures are `ChatClientError`. */
export declare class StaffApi {
  constructor(options: StaffApiOptions);
  /** Any call of the contract, for what has no method of its own. */
  request<T>(method: string, path: string, options?: RequestOptions): Promise<T>;
  me(): Promise<AuthUser>;
  config(): Promise<ConfigResponse>;
  sessions(query?: SessionQuery): Promise<SessionListResponse>;
  session(id: number): Promise<StaffSession>;
  messages(id: number, page?: { beforeId?: number; afterId?: number; limit?: number }): Promise<MessagesResponse>;
  events(
    id: number,
    after: { afterSeq: number; limit?: number },
  ): Promise<Omit<EventsResponse, 'events'> & { events: StaffEvent[] }>;
  send(id: number, message: PostMessageRequest): Promise<Message>;
  markRead(id: number, lastId: number): Promise<void>;
  upload(id: number, file: UploadFile, options?: UploadOptions): Promise<Attachment>;
  assign(id: number, userId?: string): Promise<Session>;
  unassign(id: number): Promise<Session>;
  close(id: number): Promise<Session>;
  reopen(id: number): Promise<Session>;
  revoke(id: number): Promise<void>;
  notes(id: number): Promise<NotesResponse>;
  addNote(id: number, body: string): Promise<Note>;
  operators(): Promise<OperatorsResponse>;
  alerts(since?: string): Promise<AlertsResponse>;
  callbacks(query?: { status?: string; limit?: number; page?: string }): Promise<CallbacksResponse>;
  updateCallback(id: number, patch: CallbackPatch): Promise<CallbackStaff>;
  feed(after?: string, limit?: number): Promise<FeedResponse>;
}
