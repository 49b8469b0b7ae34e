import { seesEvent, seesSession, type StaffScope, type StaffViewer } from '@chat-realtime/protocol';
import type { CustomerState, Message, Session, SessionEvent, StaffEvent } from '../api/protocol.ts';
import type { VirtualClock } from './clock.ts';

export interface FakeReply {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter?: number;
}

export interface FakeSession {
  readonly id: number;
  readonly resumeKey: string;
  /**
   * Set once someone has signed in with it: then identity alone opens it. In this server an identity token is the
   * customer's id.
   */
  customer: string | null;
  /** Tokens made at or before this unix second are refused. */
  revokedAt: number;
  session: Session;
  readonly events: SessionEvent[];
  messages: Message[];
  /** The assignee, as the gateway queries it. */
  assignedUserId: string | null;
  state: CustomerState;
  readonly marks: Pick<CustomerState, 'client' | 'staff'>;
}

/** Where events are kept, numbered, published and read by the gateway. */
export interface EventStore {
  readonly sessions: Map<number, { readonly id: number }>;
  epoch: string;
  onAck: ((ack: { session_id: number; participant: string; last_id: number; at: string }) => void) | null;
  readonly append: (id: number, make: (seq: number) => SessionEvent, previous?: string | null) => SessionEvent;
  readonly ephemeral: (id: number, frame: object) => void;
  readonly rewind: (id: number, events: number, epoch: string) => void;
  readonly revoke: (kind: 'session', subject: string, tell: boolean, notAfter: number) => void;
  readonly feedHead: number;
  readonly feedPage: (
    after: string | undefined,
    limit: number,
  ) => { readonly events: readonly StaffEvent[]; readonly cursor: string; readonly has_more: boolean; reset?: string };
  readonly note: (id: number, body: string) => StaffEvent;
}

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown>;
}

const TOKEN_LIFE_SECONDS = 3_600;
const PAGE = 100;

/** A returned reply replaces the server's own; `undefined` lets the server answer. */
export interface FakeHooks {
  onRequest?: (request: FakeRequest) => FakeReply | undefined;
  /** At the gateway's edge, before a connection is accepted: a returned close code refuses it. */
  onConnect?: (connection: { readonly sessionId: number; readonly transport: string }) => number | undefined;
}

const error = (status: number, code: string, retryAfter?: number): FakeReply => ({
  status,
  body: { error: { code, message: code, request_id: 'fake' } },
  ...(retryAfter !== undefined && { retryAfter }),
});
const ok = (body: unknown, status = 200): FakeReply => ({ status, body });
const keyEnded = ({ customer, revokedAt }: FakeSession): boolean => customer !== null || revokedAt > 0;

const NOTHING_READ: CustomerState = {
  client: { delivered_id: 0, read_id: 0 },
  staff: { delivered_id: 0, read_id: 0 },
  operators_online: 0,
};

/**
 * A chat-service in memory: the REST calls of customers and the queries of the feed's readers. Events are in `store`.
 */
export class FakeServer {
  readonly hooks: FakeHooks = {};
  readonly sessions: Map<number, FakeSession>;
  readonly requests: FakeRequest[] = [];
  readonly #clock: VirtualClock;
  readonly #store: EventStore;
  #lastId = 0;
  #lastSession = 0;
  #lastEpoch = 1;

  constructor(
    clock: VirtualClock,
    store: EventStore,
    readonly tokenLifeSeconds = TOKEN_LIFE_SECONDS,
  ) {
    this.#clock = clock;
    this.#store = store;
    // Sessions are created only here, so all sessions are of this kind.
    this.sessions = store.sessions as Map<number, FakeSession>;
    store.onAck = ({ session_id: id, participant, last_id: lastId }) => {
      const found = this.sessions.get(id);
      if (found && participant === 'client') this.#deliver(found, lastId);
    };
  }

  get epoch(): string {
    return this.#store.epoch;
  }

  token(sessionId: number): { token: string; expires_at: string } {
    const revokedAt = this.sessions.get(sessionId)?.revokedAt ?? 0;
    const created = Math.max(Math.floor(this.#clock.now() / 1_000), revokedAt + 1);
    const expires_at = new Date((created + this.tokenLifeSeconds) * 1_000).toISOString();
    return { token: `k1.${created}.s${sessionId}`, expires_at };
  }

  /** The answer to an operator's sign-in. */
  staffToken(userId: string, scope: 'all' | 'assigned' | 'own' = 'all'): { token: string; expires_at: string } {
    const made = Math.floor(this.#clock.now() / 1_000);
    const expires_at = new Date((made + this.tokenLifeSeconds) * 1_000).toISOString();
    return { token: `staff.${userId}.${scope}.${made}`, expires_at };
  }

  /** A close code for a token that does not open this session, else null. */
  judge(sessionId: number, token: string): number | null {
    const [, created, owner] = token.split('.');
    if (owner !== `s${sessionId}`) return 4501;
    const session = this.sessions.get(sessionId);
    if (!session) return 4504;
    if (Number(created) <= session.revokedAt) return 4505;
    return this.#clock.now() / 1_000 >= Number(created) + this.tokenLifeSeconds ? 4401 : null;
  }

  /** Ends all tokens of the session made so far, and its resume key. */
  revoke(sessionId: number): void {
    const found = this.#found(sessionId);
    found.revokedAt = Math.max(Math.floor(this.#clock.now() / 1_000), found.revokedAt + 1);
    this.#store.revoke('session', String(sessionId), true, found.revokedAt);
  }

  /** An operator writes a message. */
  answer(sessionId: number, body: string): Message {
    const found = this.#found(sessionId);
    const message = this.#say(found, 'operator', body, crypto.randomUUID());
    this.#mark(found, 'staff', { delivered_id: message.id, read_id: message.id });
    return message;
  }

  /** Notes among operators. */
  note(sessionId: number, body: string): void {
    this.#store.note(sessionId, body);
  }

  /** The number of the newest event of the staff feed. */
  get feedHead(): number {
    return this.#store.feedHead;
  }

  /** All events of the staff feed, each with its session's assignee at that time. */
  get feed(): readonly StaffEvent[] {
    return this.#store.feedPage('0', Infinity).events;
  }

  /** An event of any type, also one of a later version. */
  append(sessionId: number, type: string, data: unknown): SessionEvent {
    return this.#append(this.#found(sessionId), type as SessionEvent['type'], data);
  }

  assign(sessionId: number, userId: string | null): void {
    const found = this.#found(sessionId);
    const previous = found.assignedUserId;
    found.assignedUserId = userId;
    found.session = { ...found.session, assigned_user_id: userId, version: found.session.version + 1 };
    const data = { assigned_user_id: userId, assigned_user_name: null, by: 'op' };
    this.#append(found, 'chat.session.assigned', data, previous);
  }

  /**
   * As after a restore of the database: the newest events are gone, the epoch has changed, and the ids of the lost
   * events are given to new messages, since the numbering came from the backup too. The gateways find out on their own.
   */
  restore(sessionId: number, keep: number): void {
    this.#lastEpoch += 1;
    this.#store.rewind(sessionId, Math.max(1, keep), `epoch-${this.#lastEpoch}`);
    for (const found of this.sessions.values()) {
      const ids = new Set(found.events.flatMap((event) => (event.type === 'chat.message' ? [event.data.id] : [])));
      found.messages = found.messages.filter(({ id }) => ids.has(id));
      const assigned = found.events.findLast((event) => event.type === 'chat.session.assigned');
      found.assignedUserId = assigned?.type === 'chat.session.assigned' ? assigned.data.assigned_user_id : null;
      found.session = {
        ...found.session,
        last_seq: found.events.length,
        assigned_user_id: found.assignedUserId,
      };
      found.state = NOTHING_READ;
    }
    this.#lastId = Math.max(0, ...[...this.sessions.values()].flatMap(({ messages }) => messages.at(-1)?.id ?? []));
  }

  handle(request: FakeRequest): FakeReply {
    this.requests.push(request);
    const hooked = this.hooks.onRequest?.(request);
    if (hooked) return hooked;
    const { method, path, headers } = request;
    if (path === '/chat/session' && method === 'POST') return this.#create(request);
    const token = (headers['authorization'] ?? '').replace(/^Bearer /, '');
    if (token.startsWith('staff.')) return this.#staff(request, token);
    if (path === '/chat/identity') return this.#identify(request);
    if (path === '/chat/identity/logout') {
      for (const { id, customer } of this.sessions.values())
        if (customer === request.body['identity_token']) this.revoke(id);
      return { status: 204, body: null };
    }
    const match = /^\/chat\/session\/(\d+)(?:\/(.+))?$/.exec(path);
    if (!match) return error(404, 'not_found');
    const id = Number(match[1]);
    if (match[2] === 'channel-token') {
      const found = this.sessions.get(id);
      if (token && found?.customer === token) return ok(this.token(id));
      if (token) return error(401, 'bad_token');
      if (!found || headers['x-resume-key'] !== found.resumeKey || keyEnded(found))
        return error(401, 'bad_credentials');
      return ok(this.token(id));
    }
    return this.#guard(id, token, (found) => this.#session(found, match[2] ?? '', request));
  }

  #found(id: number): FakeSession {
    const found = this.sessions.get(id);
    if (!found) throw new Error(`no session ${id}`);
    return found;
  }

  #guard(id: number, token: string, run: (found: FakeSession) => FakeReply): FakeReply {
    const refusal = this.judge(id, token);
    if (refusal === null) return run(this.#found(id));
    return error(401, refusal === 4401 ? 'token_expired' : refusal === 4505 ? 'token_revoked' : 'bad_token');
  }

  #identify({ body }: FakeRequest): FakeReply {
    const customer = String(body['identity_token']);
    const wanted = typeof body['session_id'] === 'number' ? this.#found(body['session_id']) : null;
    if (wanted) {
      const refusal = this.judge(wanted.id, String(body['token']));
      if (refusal !== null) return error(401, refusal === 4505 ? 'token_revoked' : 'bad_token');
      if (wanted.customer !== null && wanted.customer !== customer) return error(403, 'forbidden');
      wanted.customer = customer;
    }
    const theirs = [...this.sessions.values()].filter((session) => session.customer === customer);
    const current = wanted ?? theirs.at(-1);
    const sessions = theirs.map(({ session }) => session);
    const expires_at = new Date(this.#clock.now() + 600_000).toISOString();
    return ok(current ? { sessions, session: current.session, ...this.token(current.id) } : { sessions, expires_at });
  }

  #create({ body }: FakeRequest): FakeReply {
    const key = String(body['resume_key']);
    let found = [...this.sessions.values()].find(({ resumeKey }) => resumeKey === key);
    if (found && keyEnded(found)) return error(401, 'bad_credentials');
    const known = found !== undefined;
    if (!found) {
      this.#lastSession += 1;
      const id = this.#lastSession;
      const created_at = new Date(this.#clock.now()).toISOString();
      const session: Session = {
        id,
        status: 'new',
        created_at,
        assigned_user_id: null,
        last_seq: 0,
        version: 1,
        callback_pending: false,
      };
      found = {
        id,
        resumeKey: key,
        customer: null,
        revokedAt: 0,
        session,
        events: [],
        messages: [],
        assignedUserId: null,
        state: NOTHING_READ,
        get marks() {
          return { client: this.state.client, staff: this.state.staff };
        },
      };
      this.sessions.set(id, found);
      this.#append(found, 'chat.session.created', { session });
    }
    const first = body['message'] as { body: string; client_message_id: string } | undefined;
    const message =
      first &&
      (this.#known(found, first.client_message_id) ?? this.#say(found, 'client', first.body, first.client_message_id));
    return ok(
      { session: found.session, resume_key: key, ...this.token(found.id), ...(message && { message }) },
      known ? 200 : 201,
    );
  }

  #session(found: FakeSession, what: string, { method, query, body }: FakeRequest): FakeReply {
    const number = (name: string): number | null => (query.has(name) ? Number(query.get(name)) : null);
    if (what === '') return ok(found.session);
    if (what === 'messages' && method === 'POST') {
      const id = String(body['client_message_id']);
      const known = this.#known(found, id);
      if (known) return known.body === body['body'] ? ok({ message: known }) : error(409, 'idempotency_conflict');
      return ok({ message: this.#say(found, 'client', String(body['body']), id) }, 201);
    }
    if (what === 'messages') {
      const before = number('before_id') ?? Infinity;
      const older = found.messages.filter(({ id }) => id < before);
      return ok({ messages: older.slice(-PAGE), has_more: older.length > PAGE });
    }
    if (what === 'events') {
      const after = number('after_seq') ?? 0;
      const limit = number('limit') ?? PAGE;
      if (after > found.events.length) return error(409, 'cursor_ahead');
      const events = found.events.slice(after, after + limit);
      return ok({ events, last_seq: found.events.length, has_more: after + limit < found.events.length });
    }
    if (what === 'read') {
      const newest = found.messages.at(-1)?.id ?? 0;
      const { client } = found.marks;
      const read_id = Math.max(client.read_id, Math.min(Number(body['last_id']), newest));
      this.#mark(found, 'client', { read_id, delivered_id: Math.max(read_id, client.delivered_id) });
      return ok({ read_id });
    }
    return error(404, 'not_found');
  }

  #staff({ path, query }: FakeRequest, token: string): FakeReply {
    const [, userId = '', scope, made] = token.split('.');
    const viewer: StaffViewer = { userId, scope: scope as StaffScope };
    if (this.#clock.now() / 1_000 >= Number(made) + this.tokenLifeSeconds) return error(401, 'token_expired');
    if (path === '/chat/sessions') return ok({ sessions: [], feed_cursor: String(this.feedHead) });
    const limit = Number(query.get('limit') ?? PAGE);
    if (path === '/chat/feed') {
      const page = this.#store.feedPage(query.get('after') ?? undefined, limit);
      const events = page.events.filter((event) => seesEvent(viewer, event, { session: this.#ownerOf(event) }));
      return page.reset === undefined ? ok({ ...page, events }) : error(409, page.reset);
    }
    const id = Number(/^\/chat\/session\/(\d+)\/events$/.exec(path)?.[1]);
    const found = this.sessions.get(id);
    if (!found || !seesSession(viewer, found.assignedUserId)) return error(404, 'session_not_found');
    const after = Number(query.get('after_seq') ?? 0);
    const rest = this.feed.filter(({ session_id, seq }) => session_id === id && seq !== null && seq > after);
    return ok({ events: rest.slice(0, limit), last_seq: found.events.length, has_more: rest.length > limit });
  }

  #ownerOf({ session_id: id }: StaffEvent): string | null | undefined {
    return id === null ? undefined : this.sessions.get(id)?.assignedUserId;
  }

  #deliver(found: FakeSession, id: number): void {
    const { client } = found.marks;
    const delivered_id = Math.max(client.delivered_id, Math.min(id, found.messages.at(-1)?.id ?? 0));
    if (delivered_id > client.delivered_id) this.#mark(found, 'client', { ...client, delivered_id });
  }

  #mark(found: FakeSession, by: 'client' | 'staff', mark: CustomerState['client']): void {
    found.state = { ...found.state, [by]: mark };
    this.#store.ephemeral(found.id, { type: 'chat.read', session_id: found.id, seq: null, data: { by, ...mark } });
  }

  #known(found: FakeSession, id: string): Message | undefined {
    return found.messages.find(({ client_message_id }) => client_message_id === id);
  }

  #say(found: FakeSession, sender_type: Message['sender_type'], body: string, client_message_id: string): Message {
    this.#lastId += 1 + (this.#lastId % 3);
    const created_at = new Date(this.#clock.now()).toISOString();
    const message: Message = { id: this.#lastId, sender_type, body, attachments: [], created_at, client_message_id };
    found.messages.push(message);
    this.#append(found, 'chat.message', message);
    return message;
  }

  #append(found: FakeSession, type: SessionEvent['type'], data: unknown, previous: string | null = null): SessionEvent {
    const make = (seq: number): SessionEvent => {
      found.session = { ...found.session, last_seq: seq };
      return { type, session_id: found.id, seq, data } as SessionEvent;
    };
    return this.#store.append(found.id, make, previous);
  }
}
