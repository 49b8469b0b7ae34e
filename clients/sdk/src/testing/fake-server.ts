import type { CustomerState, Message, Session, SessionEvent } from '../api/protocol.ts';
import type { VirtualClock } from './clock.ts';

export interface FakeReply {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter?: number;
}

export interface FakeSession {
  readonly id: number;
  readonly resumeKey: string;
  /** Who signed in with it: then identity alone opens it. In this server an identity token is the customer's id. */
  customer: string | null;
  /** Tokens made at or before this unix second are refused. */
  revokedAt: number;
  session: Session;
  events: SessionEvent[];
  messages: Message[];
  marks: { client: { delivered_id: number; read_id: number }; staff: { delivered_id: number; read_id: number } };
}

/** A connection to the channel, whatever carries it. */
export interface FakeConnection {
  readonly id: string;
  readonly sessionId: number;
  readonly transport: 'websocket' | 'sse' | 'poll';
  readonly send: (frame: unknown) => void;
  readonly close: (code: number) => void;
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

/** Returning a reply takes the place of the server's own; `undefined` lets it answer. */
export interface FakeHooks {
  onRequest?: (request: FakeRequest) => FakeReply | undefined;
  /** Before a connection is let in: a close code refuses it. */
  onConnect?: (connection: Pick<FakeConnection, 'sessionId' | 'transport'>) => number | undefined;
}

const error = (status: number, code: string, retryAfter?: number): FakeReply => ({
  status,
  body: { error: { code, message: code, request_id: 'fake' } },
  ...(retryAfter !== undefined && { retryAfter }),
});
const ok = (body: unknown, status = 200): FakeReply => ({ status, body });
const keyEnded = ({ customer, revokedAt }: FakeSession): boolean => customer !== null || revokedAt > 0;

/** The customer's side of the contract in memory: sessions, events, tokens, channel. */
export class FakeServer {
  readonly hooks: FakeHooks = {};
  readonly sessions = new Map<number, FakeSession>();
  readonly connections = new Set<FakeConnection>();
  readonly requests: FakeRequest[] = [];
  epoch = 'epoch-1';
  operatorsOnline = 1;
  readonly #clock: VirtualClock;
  #lastId = 0;
  #lastSession = 0;
  #lastEpoch = 1;
  #lastConnection = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  token(sessionId: number): { token: string; expires_at: string } {
    const revokedAt = this.sessions.get(sessionId)?.revokedAt ?? 0;
    const created = Math.max(Math.floor(this.#clock.now() / 1_000), revokedAt + 1);
    const expires_at = new Date((created + TOKEN_LIFE_SECONDS) * 1_000).toISOString();
    return { token: `k1.${created}.s${sessionId}`, expires_at };
  }

  /** A close code for a token that does not open this session, else null. */
  judge(sessionId: number, token: string): number | null {
    const [, created, owner] = token.split('.');
    if (owner !== `s${sessionId}`) return 4501;
    const session = this.sessions.get(sessionId);
    if (!session) return 4504;
    if (Number(created) <= session.revokedAt) return 4505;
    return this.#clock.now() / 1_000 >= Number(created) + TOKEN_LIFE_SECONDS ? 4401 : null;
  }

  /** Ends all tokens of the session made so far, and its resume key. */
  revoke(sessionId: number): void {
    const found = this.#found(sessionId);
    found.revokedAt = Math.max(Math.floor(this.#clock.now() / 1_000), found.revokedAt + 1);
    for (const connection of [...this.connections]) if (connection.sessionId === sessionId) connection.close(4505);
  }

  /** What an operator says. */
  answer(sessionId: number, body: string): Message {
    const found = this.#found(sessionId);
    const message = this.#store(found, 'operator', body, crypto.randomUUID());
    found.marks.staff = { delivered_id: message.id, read_id: message.id };
    this.#broadcast(found, {
      type: 'chat.read',
      session_id: sessionId,
      seq: null,
      data: { by: 'staff', ...found.marks.staff },
    });
    return message;
  }

  assign(sessionId: number, userId: string | null): void {
    const found = this.#found(sessionId);
    found.session = { ...found.session, assigned_user_id: userId, version: found.session.version + 1 };
    this.#append(found, 'chat.session.assigned', { assigned_user_id: userId, assigned_user_name: null, by: 'op' });
  }

  /**
   * As after a restore of the database: the newest events are gone, the epoch is another one, and the ids of what is gone
   * are given to new messages, since the numbering came back from the backup too.
   */
  restore(sessionId: number, keep: number): void {
    const found = this.#found(sessionId);
    found.events = found.events.slice(0, Math.max(1, keep));
    const ids = new Set(found.events.flatMap((event) => (event.type === 'chat.message' ? [event.data.id] : [])));
    found.messages = found.messages.filter(({ id }) => ids.has(id));
    found.session = { ...found.session, last_seq: found.events.length };
    found.marks = { client: { delivered_id: 0, read_id: 0 }, staff: { delivered_id: 0, read_id: 0 } };
    this.#lastId = Math.max(0, ...[...this.sessions.values()].flatMap(({ messages }) => messages.at(-1)?.id ?? []));
    this.#lastEpoch += 1;
    this.epoch = `epoch-${this.#lastEpoch}`;
    for (const connection of [...this.connections]) connection.close(1012);
  }

  handle(request: FakeRequest): FakeReply {
    this.requests.push(request);
    const hooked = this.hooks.onRequest?.(request);
    if (hooked) return hooked;
    const { method, path, headers } = request;
    if (path === '/chat/session' && method === 'POST') return this.#create(request);
    const token = (headers['authorization'] ?? '').replace(/^Bearer /, '');
    if (path === '/chat/identity') return this.#identify(request);
    if (path === '/chat/identity/logout') {
      for (const { id, customer } of this.sessions.values())
        if (customer === request.body['identity_token']) this.revoke(id);
      return { status: 204, body: null };
    }
    if (path === '/channel/ack')
      return this.#guard(Number(request.query.get('session')), token, (s) => this.#ack(s, request));
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

  /** Lets a connection in and sends what follows its cursor; the number is the close code of a refusal. */
  connect(connection: Omit<FakeConnection, 'id'>, token: string, cursor: number | null): FakeConnection | number {
    const refusal = this.judge(connection.sessionId, token) ?? this.hooks.onConnect?.(connection) ?? null;
    if (refusal !== null) return refusal;
    const found = this.#found(connection.sessionId);
    this.#lastConnection += 1;
    const head = found.events.length;
    const ahead = cursor !== null && cursor > head;
    const from = cursor === null || ahead ? head : cursor;
    const live: FakeConnection = { ...connection, id: `c${this.#lastConnection}` };
    const state: CustomerState = { ...found.marks, operators_online: this.operatorsOnline };
    live.send({
      type: 'channel.ready',
      data: {
        session_id: found.id,
        from_seq: from,
        last_seq: head,
        epoch: this.epoch,
        ping_interval: 30,
        connection_id: live.id,
        expires_at: this.token(found.id).expires_at,
        state,
      },
    });
    if (ahead) live.send({ type: 'channel.reset', data: { reason: 'cursor_ahead' } });
    for (const event of found.events.slice(from)) live.send(event);
    this.connections.add(live);
    return live;
  }

  receive(connection: FakeConnection, frame: Record<string, unknown>): void {
    if (frame['type'] === 'ping') connection.send({ type: 'channel.pong' });
    if (frame['type'] === 'ack') this.#deliver(this.#found(connection.sessionId), Number(frame['last_id']));
    if (frame['type'] === 'auth') {
      const refusal = this.judge(connection.sessionId, String(frame['token']));
      if (refusal !== null) return connection.close(refusal);
      connection.send({ type: 'channel.refreshed', data: { expires_at: this.token(connection.sessionId).expires_at } });
    }
  }

  eventsAfter(sessionId: number, after: number): SessionEvent[] {
    return this.#found(sessionId).events.slice(after);
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
      const zero = { delivered_id: 0, read_id: 0 };
      found = {
        id,
        resumeKey: key,
        customer: null,
        revokedAt: 0,
        session,
        events: [],
        messages: [],
        marks: { client: zero, staff: zero },
      };
      this.sessions.set(id, found);
      this.#append(found, 'chat.session.created', { session });
    }
    const first = body['message'] as { body: string; client_message_id: string } | undefined;
    const message =
      first &&
      (this.#known(found, first.client_message_id) ??
        this.#store(found, 'client', first.body, first.client_message_id));
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
      return ok({ message: this.#store(found, 'client', String(body['body']), id) }, 201);
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
      const read_id = Math.max(
        found.marks.client.read_id,
        Math.min(Number(body['last_id']), found.messages.at(-1)?.id ?? 0),
      );
      found.marks.client = { read_id, delivered_id: Math.max(read_id, found.marks.client.delivered_id) };
      return ok({ read_id });
    }
    return error(404, 'not_found');
  }

  #ack(found: FakeSession, { body }: FakeRequest): FakeReply {
    this.#deliver(found, Number(body['last_id']));
    return { status: 204, body: null };
  }

  #deliver(found: FakeSession, id: number): void {
    const delivered_id = Math.max(found.marks.client.delivered_id, Math.min(id, found.messages.at(-1)?.id ?? 0));
    found.marks.client = { ...found.marks.client, delivered_id };
  }

  #known(found: FakeSession, id: string): Message | undefined {
    return found.messages.find(({ client_message_id }) => client_message_id === id);
  }

  #store(found: FakeSession, sender_type: Message['sender_type'], body: string, client_message_id: string): Message {
    this.#lastId += 1 + (this.#lastId % 3);
    const created_at = new Date(this.#clock.now()).toISOString();
    const message: Message = { id: this.#lastId, sender_type, body, attachments: [], created_at, client_message_id };
    found.messages.push(message);
    this.#append(found, 'chat.message', message);
    return message;
  }

  #append(found: FakeSession, type: SessionEvent['type'], data: unknown): void {
    const seq = found.events.length + 1;
    found.session = { ...found.session, last_seq: seq };
    const event = { type, session_id: found.id, seq, data } as SessionEvent;
    found.events.push(event);
    this.#broadcast(found, event);
  }

  #broadcast(found: FakeSession, frame: unknown): void {
    for (const connection of [...this.connections]) if (connection.sessionId === found.id) connection.send(frame);
  }
}
