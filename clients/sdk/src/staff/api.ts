import type { UploadFile, UploadOptions } from '../api/backend.ts';
import type {
  AlertsResponse,
  Attachment,
  AuthUser,
  CallbackPatch,
  CallbackStaff,
  ContactChange,
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
  TraceResponse,
} from '../api/protocol.ts';
import type { Environment } from '../api/environment.ts';
import type { SiteStaff } from '../api/site-staff.ts';
import type { StaffTokenProvider } from '../api/staff-token.ts';
import { createEnvironment } from '../core/environment.ts';
import { call, type CallOptions, resolveBase } from '../core/http.ts';
import { ChatClientError, later } from '../errors.ts';
import type { createSiteStaff, SiteMove } from './site-staff.ts';
import { createStaffToken, type StaffTokenSource } from './token.ts';

export interface SessionQuery {
  readonly status?: string;
  readonly assigned?: string;
  readonly q?: string;
  readonly sort?: 'waiting' | 'activity' | 'created';
  readonly limit?: number;
  readonly page?: string;
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | null | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface StaffApiOptions {
  readonly baseUrl?: string;
  readonly getToken: StaffTokenProvider;
  /** If a site keeps its own chat, operators' actions go there. */
  readonly site?: SiteStaff | undefined;
  readonly environment?: Partial<Environment>;
}

export type StaffEventsPage = Omit<EventsResponse, 'events'> & { readonly events: StaffEvent[] };

/**
 * Staff calls of REST. A refused token is replaced once by `getToken({force: true})`. Failures are `ChatClientError`.
 */
export class StaffApi {
  readonly #environment: Environment;
  readonly #base: string;
  readonly #token: StaffTokenSource;
  #siteStaff: ReturnType<typeof createSiteStaff> | undefined;
  readonly #site: (() => Promise<ReturnType<typeof createSiteStaff>>) | null;

  constructor(options: StaffApiOptions, shared?: StaffTokenSource) {
    this.#environment = createEnvironment(options.environment);
    this.#base = resolveBase(options.baseUrl);
    this.#token = shared ?? createStaffToken(this.#environment, options.getToken);
    const { site } = options;
    this.#site =
      site === undefined
        ? null
        : async () => {
            const { createSiteStaff: create } = await import('./site-staff.ts');
            // The newest page: the message looked for was written a moment ago.
            this.#siteStaff ??= create(this.#environment, site, async (id, after) =>
              (await this.messages(id)).messages.filter((message) => message.id > after),
            );
            return this.#siteStaff;
          };
  }

  /** Any call of the contract that has no method here. */
  request<T>(method: string, path: string, { query, body, signal }: RequestOptions = {}): Promise<T> {
    const options: CallOptions = { signal, ...(query && { query }), ...(body !== undefined && { json: body }) };
    return this.#run((token) => call<T>(this.#environment, method, this.#base + path, { ...options, token }));
  }

  me(): Promise<AuthUser> {
    return this.request('GET', '/auth/me');
  }

  async config(): Promise<ConfigResponse> {
    const found: ConfigResponse = await this.request('GET', '/chat/config');
    // The rules for files are the site's own.
    return this.#site ? { ...found, attachments: { ...found.attachments, ...(await this.#site()).limits } } : found;
  }

  sessions(query: SessionQuery = {}): Promise<SessionListResponse> {
    return this.request('GET', '/chat/sessions', { query: { ...query } });
  }

  /** The path of a message, with times; for admins only. */
  trace(id: number, messageId: number): Promise<TraceResponse> {
    return this.request('GET', `/chat/session/${id}/trace`, { query: { message_id: messageId } });
  }

  /** The chat as a text file. With an address it is mailed there instead, and the answer is null. */
  async transcript(id: number, email?: string): Promise<Blob | null> {
    const { transcript } = await import('../customer/elsewhere.ts');
    return this.#run((token) => transcript(this.#environment, this.#base, { sessionId: id, token }, email));
  }

  /** Everything about a chat, or about all chats of its customer, with the files as an archive; for admins only. */
  async export(id: number, query: { scope?: 'session' | 'customer'; format?: 'json' | 'zip' } = {}): Promise<Blob> {
    const { exported } = await import('./exported.ts');
    return this.#run((token) => exported(this.#environment, this.#base, token, id, query));
  }

  session(id: number): Promise<StaffSession> {
    return this.request('GET', `/chat/session/${id}`);
  }

  messages(
    id: number,
    page: { beforeId?: number | undefined; afterId?: number | undefined; limit?: number | undefined } = {},
  ): Promise<MessagesResponse> {
    const query = { before_id: page.beforeId, after_id: page.afterId, limit: page.limit };
    return this.request('GET', `/chat/session/${id}/messages`, { query });
  }

  events(id: number, after: { afterSeq: number; limit?: number }): Promise<StaffEventsPage> {
    const query = { after_seq: after.afterSeq, limit: after.limit };
    return this.request('GET', `/chat/session/${id}/events`, { query });
  }

  /** Null: the site has accepted it, and its row is not in the ledger yet. */
  async send(id: number, message: PostMessageRequest): Promise<Message | null> {
    if (this.#site) return (await this.#site()).reply(id, message);
    return (await this.#post<{ message: Message }>(id, 'messages', message)).message;
  }

  /** A message as it arrived, under the id of the text that was sent here. */
  own(id: number, message: Message): Message {
    return this.#siteStaff?.own(id, message) ?? message;
  }

  async markRead(id: number, lastId: number): Promise<void> {
    await this.#post(id, 'read', { last_id: lastId });
  }

  async upload(id: number, file: UploadFile, options?: UploadOptions): Promise<Attachment> {
    if (this.#site) return (await this.#site()).upload(id, file, options);
    const { upload } = await later(import('../core/upload.ts'));
    const url = `${this.#base}/chat/session/${id}/attachments`;
    return this.#run((token) => upload(this.#environment, url, token, file, options));
  }

  /** Without `userId` the caller claims the session. */
  assign(id: number, userId?: string): Promise<Session> {
    return this.#session(id, 'assign', userId);
  }

  unassign(id: number): Promise<Session> {
    return this.#session(id, 'unassign');
  }

  close(id: number): Promise<Session> {
    return this.#session(id, 'close');
  }

  reopen(id: number): Promise<Session> {
    return this.#session(id, 'reopen');
  }

  async revoke(id: number): Promise<void> {
    await this.#post(id, 'revoke', {});
  }

  /** Name, e-mail or phone as the operator learned them. An absent field stays, null removes it. */
  async changeContact(id: number, change: ContactChange): Promise<StaffSession> {
    const body = this.#site ? await (await this.#site()).contact(id, change) : change;
    return (await this.request<{ session: StaffSession }>('PATCH', `/chat/session/${id}/contact`, { body })).session;
  }

  notes(id: number, page: { beforeId?: number | undefined } = {}): Promise<NotesResponse> {
    return this.request('GET', `/chat/session/${id}/notes`, { query: { before_id: page.beforeId } });
  }

  async addNote(id: number, body: string): Promise<Note> {
    return (await this.#post<{ note: Note }>(id, 'notes', { body })).note;
  }

  /** All of them, however many pages there are. */
  async operators(): Promise<Pick<OperatorsResponse, 'operators'>> {
    const operators: OperatorsResponse['operators'] = [];
    let page: string | undefined;
    do {
      const answer: OperatorsResponse = await this.request('GET', '/chat/operators', { query: { page } });
      operators.push(...answer.operators);
      page = answer.next_page ?? undefined;
    } while (page !== undefined);
    return { operators };
  }

  alerts(since?: string): Promise<AlertsResponse> {
    return this.request('GET', '/chat/alerts', { query: { since } });
  }

  async callbacks(query: { status?: string; limit?: number; page?: string } = {}): Promise<CallbacksResponse> {
    const calls = this.#site && (await this.#site()).calls;
    if (calls) return { callbacks: await calls.list(), next_page: null };
    return this.request('GET', '/chat/callbacks', { query });
  }

  async updateCallback(id: number, patch: CallbackPatch): Promise<CallbackStaff> {
    const calls = this.#site && (await this.#site()).calls;
    if (calls) return calls.update(id, patch);
    const answer = await this.request<{ callback: CallbackStaff }>('PATCH', `/chat/callbacks/${id}`, { body: patch });
    return answer.callback;
  }

  feed(after?: string, limit?: number): Promise<FeedResponse> {
    return this.request('GET', '/chat/feed', { query: { after, limit } });
  }

  /** Sends delivery marks when the transport cannot send frames. */
  async ack(items: readonly { session_id: number; last_id: number }[]): Promise<void> {
    await this.request('POST', '/channel/ack', { query: { type: 'staff' }, body: { items } });
  }

  #post<T>(id: number, what: string, body: unknown): Promise<T> {
    return this.request('POST', `/chat/session/${id}/${what}`, { body });
  }

  async #session(id: number, what: SiteMove, user_id?: string): Promise<Session> {
    if (this.#site) {
      await (await this.#site()).move(id, what, user_id);
      // As far as the ledger knows by now; the event follows.
      return this.session(id);
    }
    return (await this.#post<{ session: Session }>(id, what, { user_id })).session;
  }

  async #run<T>(send: (token: string) => Promise<T>): Promise<T> {
    const had = await this.#token.get();
    try {
      return await send(had);
    } catch (error) {
      if (!(error instanceof ChatClientError) || error.status !== 401) throw error;
      // Another call may have renewed it in the meantime.
      if (this.#token.current === had) await this.#token.renew();
      return send(this.#token.current);
    }
  }
}
