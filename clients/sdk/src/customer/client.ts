// Long because it wires the parts of the customer's client: each part has its own file, and splitting this one would
// hide the order in which they are notified.
import type { Access, Backend } from '../api/backend.ts';
import type { ConnectionState } from '../api/connection.ts';
import type { ChatClient, ChatClientOptions, ChatEvents, ChatState, Prechat } from '../api/customer.ts';
import type { CustomerState, EventsResponse, Message, Session, SessionEvent } from '../api/protocol.ts';
import { createEnvironment } from '../core/environment.ts';
import { call, resolveBase } from '../core/http.ts';
import { createJsonStorage, storagePrefix } from '../core/json-storage.ts';
import { createRisingMark } from '../core/rising-mark.ts';
import { createEmitter, createStore } from '../core/store.ts';
import { asError, ChatClientError, later } from '../errors.ts';
import { createHistory, type History } from '../sync/history.ts';
import { ADOPT_MS, createOutbox, type OutboxEntry } from '../sync/outbox.ts';
import { createSequence } from '../sync/sequence.ts';
import { createThread } from '../sync/thread.ts';
import { createTypingList, createTypingSender } from '../sync/typing.ts';
import { createSharedConnection } from '../tabs/shared-connection.ts';
import { ALL_TRANSPORTS, TRANSPORTS } from '../transport/all.ts';
import type { Frame, ReadyData } from '../api/transport.ts';
import { beginSession } from './begin-session.ts';
import { createCredentials, SESSION_KEY } from './credentials.ts';
import type * as Elsewhere from './elsewhere.ts';
import { createLiveState } from './live-state.ts';
import { backendOver, standardRest } from './rest-calls.ts';
import { sessionAfter } from './session-state.ts';

type Announcement = 'session' | 'logout' | 'outbox';

export function createChatClient(options: ChatClientOptions = {}): ChatClient {
  const environment = createEnvironment(options.environment);
  const base = resolveBase(options.baseUrl);
  const backend: Backend = options.backend ?? backendOver(standardRest(environment, base));
  const prefix = storagePrefix(options.namespace);
  const storage = createJsonStorage(environment.storage, prefix);
  const emitter = createEmitter<ChatEvents>();
  const thread = createThread('client');
  const live = createLiveState();

  let session: Session | null = null;
  let prechat: Prechat = {};
  let getIdentityToken: (() => Promise<string>) | null = null;
  let starting: Promise<Message | undefined> | null = null;
  let seenOnLine = 0;
  let destroyed = false;

  const store = createStore<ChatState>(() => ({
    connection: connection.state,
    session,
    messages: thread.view(outbox.entries(), live.marks.staff),
    history: history.state,
    unread: thread.count((m) => m.sender_type === 'operator' && m.id > live.marks.client.read_id),
    typing: typing.typists,
    operatorsOnline: live.operatorsOnline,
    readMarks: live.marks,
    degraded: live.degraded,
    epoch: live.epoch,
    identified: getIdentityToken !== null,
  }));
  const { touch } = store;
  const typing = createTypingList(environment, touch);
  const credentials = createCredentials(
    environment,
    storage,
    backend,
    () => getIdentityToken?.() ?? null,
    (customers) => {
      const may = !customers || getIdentityToken !== null;
      if (!may && options.signedIn === false) storage.remove(SESSION_KEY);
      return may;
    },
  );
  const typingSender = createTypingSender(environment, (active) => connection.send({ type: 'typing', active }));

  const apply = (event: SessionEvent): void => {
    if (event.type === 'chat.message') {
      const isNew = received(event.data);
      if (isNew && event.data.sender_type !== 'client') {
        typing.ended('staff', event.data.sender_id);
        emitter.emit('message', thread.show(event.data, live.marks.staff));
      }
    }
    if (event.type === 'chat.erased') {
      thread.erase(event.data);
      // Failed messages exist only on this device, and belong to what is to be erased.
      if (event.data.scope === 'session') outbox.discardFailed();
    }
    setSession(session && sessionAfter(session, event));
    emitter.emit('event', event);
  };
  const received = (given: Message): boolean => {
    const message = backend.own?.(credentials.stored.id ?? 0, given) ?? given;
    const isNew = thread.add(message);
    outbox.settle(message);
    acks.raise(message.id);
    touch();
    return isNew;
  };
  const setSession = (next: Session | null): void => {
    const changed = next?.id !== session?.id || next?.version !== session?.version || next?.status !== session?.status;
    session = next;
    touch();
    if (changed || next?.assigned_user_id !== session?.assigned_user_id) emitter.emit('session', session);
  };

  let gatewayAlone = false;
  /** If no chat-service serves the events, as alongside a site's own chat, the gateway has them too. */
  async function eventsAfter(access: Access, afterSeq: number, limit: number): Promise<EventsResponse> {
    try {
      if (!gatewayAlone) return await backend.poll(access, { afterSeq, limit });
    } catch (error) {
      if (!['customer_rest_off', 'not_found'].includes(asError(error).code)) throw error;
      gatewayAlone = true;
    }
    const query = { session: access.sessionId, last_seq: afterSeq, wait: 0 };
    return call(environment, 'GET', `${base}/channel/poll`, { token: access.token, query });
  }
  const sequence = createSequence<SessionEvent>(environment, {
    fetchAfter: (afterSeq, limit) => credentials.run((access) => eventsAfter(access, afterSeq, limit)),
    apply,
    reset: (reason) => reset(reason),
  });
  const history: History = createHistory<Session>(environment, thread, {
    head: () => credentials.run((access) => backend.session(access)),
    found: (found) => setSession(found),
    page: (beforeId) =>
      credentials.run((access) => backend.history(access, beforeId === undefined ? {} : { beforeId })),
    loaded(head) {
      sequence.restart(head);
      // Messages sent before the page was left may be among them.
      thread.each(outbox.settle);
      acks.raise(thread.newestId);
    },
    changed: touch,
  });
  const reset = (reason: string): void => {
    // State from the `channel.ready` of another database already belongs to that database.
    if (reason !== 'epoch_changed') live.forget();
    acks.stop();
    reads.stop();
    sequence.restart(null);
    history.reload();
    emitter.emit('reset', { reason });
  };

  const announce = (message: Announcement): void => connection.emit(message);
  const outbox = createOutbox(environment, storage, 'out:', {
    post,
    stored: (message) => {
      history.stored(message);
      announce('outbox');
      // The network is back, whether or not the browser has reported it.
      if (connection.state.status === 'waiting') connection.connect();
      touch();
    },
    changed: touch,
    // Before there is a session there is no leader. If two tabs start it then, both get the same one.
    adoptsAfter: () => (connection.leads || credentials.stored.id === null ? (connection.alone ? 0 : ADOPT_MS) : null),
    author: () => (getIdentityToken ? 'customer' : undefined),
    reads: (author) => author === undefined || getIdentityToken !== null,
  });
  async function post(entry: OutboxEntry): Promise<Message | null> {
    const { id, body, attachments } = entry;
    if (credentials.stored.id === null) {
      const stored = await begin(attachments.length > 0 ? undefined : { body, client_message_id: id });
      if (stored?.client_message_id === id) return stored;
    }
    const ids = attachments.map((attachment) => attachment.id);
    const message = { body, client_message_id: id, ...(ids.length > 0 && { attachments: ids }) };
    try {
      return await credentials.run((access) => backend.send(access, message));
    } catch (error) {
      if (asError(error).code !== 'session_not_found' && !credentials.ended) throw error;
      // The chat is gone, but the person's text is not: it starts the next one.
      leaveSession();
      throw new ChatClientError('unavailable', undefined, { status: 503, cause: error });
    }
  }

  /** One session, however many callers request it at once. */
  function begin(message?: { body: string; client_message_id: string }): Promise<Message | undefined> {
    const run = async (): Promise<Message | undefined> => {
      const request = { ...options.prechat?.(), ...prechat, ...(message && { message }) };
      const answer = await beginSession(environment, `${prefix}begin`, credentials, backend, request);
      if (destroyed) throw new ChatClientError('destroyed');
      if (!answer) {
        if (session?.id !== credentials.stored.id) enter(null, null);
        return undefined;
      }
      const { session: begun, message: first } = answer;
      // A session this new contains only what is in this answer.
      const whole = begun.last_seq <= (first ? 2 : 1);
      enter(begun, whole ? (first ? [first] : []) : null);
      announce('session');
      if (getIdentityToken) await attach().catch(() => undefined);
      return first;
    };
    starting ??= run().finally(() => {
      starting = null;
    });
    return starting;
  }
  /** Shows another session. With `messages` null they have to be loaded. */
  const enter = (next: Session | null, messages: readonly Message[] | null): void => {
    clear();
    setSession(next);
    if (next && messages) history.begin(messages, next.last_seq);
    connection.connect();
  };
  const clear = (): void => {
    connection.disconnect();
    sequence.restart(null);
    history.clear();
    typing.clear();
    acks.stop();
    reads.stop();
    thread.replace([]);
    live.clear();
    seenOnLine = 0;
    setSession(null);
  };
  /** Caused by the server: the outbox stays. */
  const leaveSession = (): void => {
    credentials.forget();
    clear();
  };
  const logoutHere = (): void => {
    leaveSession();
    storage.remove(SESSION_KEY);
    outbox.clear();
    getIdentityToken = null;
    prechat = {};
    touch();
  };

  const acks = createRisingMark(environment, async (last_id) => {
    if (!connection.leads) return;
    // A WebSocket accepts acks only for what it carried itself. Messages loaded by REST are acknowledged by REST.
    if (last_id <= seenOnLine && connection.send({ type: 'ack', last_id })) return;
    await credentials.run(({ sessionId, token }) =>
      call(environment, 'POST', `${base}/channel/ack`, { token, query: { session: sessionId }, json: { last_id } }),
    );
  });
  const reads = createRisingMark(environment, (lastId) =>
    credentials.run((access) => backend.markRead(access, lastId)),
  );

  const ready = (data: ReadyData): void => {
    seenOnLine = 0;
    const changed = live.begins(data);
    if (changed) reset('epoch_changed');
    acks.kick(data.state === undefined ? undefined : live.marks.client.delivered_id);
    if (typeof data.from_seq === 'number' && !changed) sequence.expect(data.from_seq);
    history.ensure();
    reads.kick();
    if (getIdentityToken && !credentials.stored.customer) void attach().catch(() => undefined);
    // A closed tab may have left unsent messages.
    void outbox.load();
    touch();
  };
  const frame = (one: Frame): void => {
    emitter.emit('frame', one);
    const { type, data } = one;
    if (one.session_id && one.session_id !== credentials.stored.id) return;
    if (typeof one.seq === 'number') {
      const event = one as SessionEvent;
      if (event.type === 'chat.message') seenOnLine = Math.max(seenOnLine, event.data.id);
      return sequence.offer(event);
    }
    // Read where there is no seq: a message is identified by its id.
    if (type === 'chat.message') apply(one as SessionEvent);
    else if (type === 'chat.typing') typing.apply(data as Parameters<typeof typing.apply>[0]);
    else if (type === 'error') emitter.emit('error', new ChatClientError((data as ChatClientError).code));
    else if (type === 'channel.reset') reset((data as { reason: string }).reason);
    else live.apply(type, data);
    touch();
  };
  const connectionChanged = (state: ConnectionState): void => {
    touch();
    emitter.emit('status', state);
    if (state.status !== 'stopped' || (state.reason !== 'session_not_found' && !credentials.ended)) return;
    leaveSession();
    outbox.flush();
  };

  const connection = createSharedConnection(
    environment,
    storage,
    options.transports ?? ALL_TRANSPORTS,
    {
      target: {
        base,
        cursorName: 'last_seq',
        query: () => ({ session: credentials.stored.id ?? 0 }),
        authFrame: (token) => ({ type: 'auth', session_id: credentials.stored.id ?? 0, token }),
        restPoll: (cursor) => credentials.run((access) => eventsAfter(access, Number(cursor ?? 0), 500)),
      },
      lines: backend.lines?.(TRANSPORTS, (ask) => credentials.run((access) => ask(access, thread.newestId))),
      async prepare() {
        await credentials.access();
        await history.prepare();
      },
      token: () => credentials.stored.token ?? '',
      cursor: () => sequence.cursor ?? history.head,
      renewAt: () => credentials.stored.renew_at,
      renew: credentials.renew,
      expire: credentials.expire,
      ready,
      frame,
      state: connectionChanged,
      summary: () => ({
        from_seq: sequence.cursor ?? history.head,
        ...(live.epoch !== null && { epoch: live.epoch }),
        state: { ...live.marks, operators_online: live.operatorsOnline } satisfies CustomerState,
      }),
      message: (message) => void onBroadcast(message as Announcement),
    },
    options.tabs === false ? null : `${prefix}tabs`,
  );
  const onBroadcast = async (message: Announcement): Promise<void> => {
    if (message === 'logout') return logoutHere();
    if (message === 'outbox') return outbox.load();
    const before = credentials.stored.id;
    const { id } = await credentials.load();
    if (id !== null && id !== before) enter(null, null);
  };

  // A tab in the background has not heard that another one started the chat.
  const unlisten = environment.onLifecycle(() => {
    if (credentials.stored.id === null) void onBroadcast('session');
  });

  const attach = async (): Promise<Session | null> => {
    const token = await getIdentityToken?.();
    if (!token) return null;
    const identity = await later(import('./identity.ts'));
    return identity.attach({ backend, credentials, leaveSession, found }, token);
  };
  const found = (session: Session, isShown: boolean): void => {
    if (isShown) setSession(session);
    else enter(session, null);
    announce('session');
  };

  const openMailLink = async (code: string): Promise<Session> => {
    await client.ready;
    const link = await later(import('./mail-link.ts'));
    const signedIn = (): boolean => getIdentityToken !== null || options.signedIn === true;
    const opened = await link.openMailLink({ environment, base, storage, credentials, signedIn, found }, code);
    connection.connect();
    // The customer signed in during the request: the chat becomes theirs, like one started here.
    if (getIdentityToken) await attach();
    return opened;
  };

  const elsewhere = async <T>(run: (module: typeof Elsewhere, access: Access) => Promise<T>) => {
    await client.ready;
    const module = await later(import('./elsewhere.ts'));
    return credentials.run((access) => run(module, access));
  };

  const needed = async (): Promise<void> => {
    await client.ready;
    if (credentials.stored.id === null) await begin();
  };
  const restore = async (): Promise<void> => {
    const { id } = await credentials.load();
    await connection.recall();
    await outbox.load();
    if (destroyed) return;
    if (outbox.entries().length > 0) announce('outbox');
    if (id !== null && options.autoConnect !== false) connection.connect();
    touch();
  };

  const client: ChatClient = {
    ready: restore(),
    getState: store.getState,
    subscribe: store.subscribe,
    on: emitter.on,
    config: () => backend.config(),
    async start(given) {
      prechat = { ...prechat, ...given };
      await needed();
      const found = session ?? (await credentials.run((access) => backend.session(access)));
      connection.connect();
      return found;
    },
    send: (text, attachments = []) => {
      const sent = outbox.add(text, attachments);
      typingSender.set(false);
      announce('outbox');
      return sent;
    },
    retry: (key) => outbox.retry(key),
    discard: (key) => {
      outbox.discard(key);
      announce('outbox');
    },
    setTyping: (active) => typingSender.set(active),
    markRead(messageId = thread.newestId) {
      if (messageId <= live.marks.client.read_id) return;
      live.raise('client', { read_id: messageId, delivered_id: messageId });
      reads.raise(messageId);
      touch();
    },
    async reportPage(pageUrl) {
      if (credentials.stored.id !== null)
        await credentials.run(async (access) => backend.reportPage?.(access, pageUrl));
    },
    loadOlder: history.older,
    async requestCallback(request) {
      await (backend.callsInChat ? needed() : client.ready);
      const { id } = credentials.stored;
      if (id === null) return backend.requestCallback(null, request);
      return credentials.run((access) => backend.requestCallback(access, { ...request, session_id: id }));
    },
    async attachment(messageId, attachmentId) {
      const page = { beforeId: messageId + 1, limit: 1 };
      const { messages } = await credentials.run((access) => backend.history(access, page));
      const found = messages.flatMap(({ attachments }) => attachments).find(({ id }) => id === attachmentId);
      if (!found) throw new ChatClientError('not_found');
      return found;
    },
    async upload(file, given) {
      await needed();
      return credentials.run((access) => backend.upload(access, file, given));
    },
    async identify(getToken) {
      await client.ready;
      getIdentityToken = getToken;
      touch();
      const session = await attach();
      // What they wrote before they were signed out waits for them.
      void outbox.load();
      return session;
    },
    async logout() {
      await client.ready;
      const token = await getIdentityToken?.().catch(() => null);
      // This comes first: the end of the old tokens must not make this device request new ones.
      announce('logout');
      logoutHere();
      if (token) await backend.identityLogout(token).catch(() => undefined);
    },
    openMailLink,
    transcript: (email) => elsewhere((module, access) => module.transcript(environment, base, access, email)),
    telegramLink: () => elsewhere((module, access) => module.telegramLink(environment, base, access)),
    addDevice: (subscription) =>
      elsewhere((module, access) => module.device(environment, base, access, 'POST', subscription)),
    removeDevice: (endpoint) =>
      elsewhere((module, access) => module.device(environment, base, access, 'DELETE', { endpoint })),
    connect() {
      if (credentials.stored.id !== null) connection.connect();
    },
    disconnect: connection.disconnect,
    destroy() {
      destroyed = true;
      unlisten();
      connection.destroy();
      sequence.stop();
      history.clear();
      outbox.stop();
      acks.stop();
      reads.stop();
      typing.clear();
      store.clear();
      emitter.clear();
    },
  };
  return client;
}
