import type { ReadableStore, Unsubscribe } from '../api/connection.ts';
import type { Typist } from '../api/customer.ts';
import type { ReadData, Session, StaffEvent } from '../api/protocol.ts';
import type { StaffClientOptions, StaffConversation, StaffEvents, StaffState } from '../api/staff.ts';
import type { Frame } from '../api/transport.ts';
import { createEnvironment } from '../core/environment.ts';
import { resolveBase } from '../core/http.ts';
import { createJsonStorage, storagePrefix } from '../core/json-storage.ts';
import { createEmitter, createStore } from '../core/store.ts';
import { notifyAll } from '../core/notify-all.ts';
import { ChatClientError } from '../errors.ts';
import { ADOPT_MS } from '../sync/outbox.ts';
import { createTypingList, type TypingList } from '../sync/typing.ts';
import { ALL_TRANSPORTS } from '../transport/all.ts';
import { StaffApi } from './api.ts';
import { createStaffAcks } from './acks.ts';
import { createStaffChannel } from './channel.ts';
import { openConversation, type OpenConversation } from './conversation.ts';
import { createEventSequencer } from './event-sequencer.ts';
import { createStaffToken } from './token.ts';

const INBOX_BATCH_MS = 16;
const FEED_PAGE = 500;
const EPHEMERAL = new Set(['chat.typing', 'chat.read', 'chat.presence', 'chat.alert']);

export interface StaffClient extends ReadableStore<StaffState> {
  readonly api: StaffApi;
  /**
   * Begins at `cursor` (`feed_cursor` of the inbox): every event after it follows. Without one: at the known cursor,
   * else live.
   */
  readonly connect: (cursor?: string) => void;
  readonly disconnect: () => void;
  readonly destroy: () => void;
  readonly on: <K extends keyof StaffEvents>(event: K, listener: (payload: StaffEvents[K]) => void) => Unsubscribe;
  /** Events of one session, in order and once. */
  readonly onSession: (sessionId: number, listener: (event: StaffEvent) => void) => Unsubscribe;
  /**
   * Declares which events of a session are already known (rows of the inbox), so that gaps are noticed and repeats
   * dropped.
   */
  readonly seed: (sessions: readonly Pick<Session, 'id' | 'last_seq'>[]) => void;
  /** History, outbox, marks and typing of one session as a store; one object per session until closed. */
  readonly conversation: (sessionId: number) => StaffConversation;
  readonly setTyping: (sessionId: number, active: boolean) => void;
  /** The session this operator is viewing; null: none. */
  readonly setViewing: (sessionId: number | null) => void;
  /** Delivered up to this message; `conversation` does it automatically. */
  readonly ack: (sessionId: number, messageId: number) => void;
}

export function createStaffClient(options: StaffClientOptions): StaffClient {
  const environment = createEnvironment(options.environment);
  const base = resolveBase(options.baseUrl);
  const token = createStaffToken(environment, options.getToken);
  const api = new StaffApi({ baseUrl: base, getToken: options.getToken, site: options.site, environment }, token);
  const prefix = storagePrefix(`staff:${options.namespace ?? 'default'}`);
  const storage = createJsonStorage(environment.storage, prefix);
  const emitter = createEmitter<StaffEvents>();
  const listeners = new Map<number, Set<(event: StaffEvent) => void>>();
  const conversations = new Map<number, OpenConversation>();
  const typing = new Map<number, TypingList>();

  let cursor: string | null = null;
  /** Where the connection began, if it is open and this tab's: good even where the cursor that it came with was not. */
  let began: string | null = null;
  /** Live frames wait while a following tab reads what it missed: otherwise a later event would hide an earlier one. */
  let catchingUp: Frame[] | null = null;
  let delta = new Map<number | null, StaffEvent[]>();
  let viewing: number | null = null;
  let recovered = false;

  const store = createStore<StaffState>(() => {
    const { state, userId, badge, users, degraded, epoch } = channel;
    return { connection: state, userId, badge, users, typing: typingNow(), degraded, epoch, cursor };
  });
  const typingNow = (): Record<number, readonly Typist[]> =>
    Object.fromEntries(
      [...typing].filter(([, { typists }]) => typists.length > 0).map(([id, { typists }]) => [id, typists]),
    );
  const typingOf = (id: number): TypingList => {
    const known = typing.get(id);
    if (known) return known;
    const list = createTypingList(environment, () => {
      if (list.typists.length === 0) typing.delete(id);
      store.touch();
      conversations.get(id)?.touch();
    });
    typing.set(id, list);
    return list;
  };

  const sequencer = createEventSequencer(
    environment,
    (id, afterSeq, limit) => api.events(id, { afterSeq, limit }),
    (event) => {
      const id = event.session_id;
      if (event.type === 'chat.message.client') typing.get(event.session_id)?.ended('client');
      if (delta.size === 0) environment.setTimer(tellInbox, INBOX_BATCH_MS);
      const events = delta.get(id) ?? [];
      events.push(event);
      delta.set(id, events);
      emitter.emit('event', event);
      notifyAll((id !== null && listeners.get(id)) || [], event);
    },
  );
  const tellInbox = (): void => {
    const changes = delta;
    delta = new Map();
    if (changes.size > 0) emitter.emit('inbox', changes);
  };

  const applyFrame = (frame: Frame): void => {
    const { type, data, session_id: id } = frame;
    if (EPHEMERAL.has(type)) ephemeral(frame);
    else if (type.startsWith('chat.') || typeof frame.seq === 'number') {
      const event = frame as StaffEvent;
      sequencer.offer(event);
      if (id) conversations.get(id)?.offer(event);
    } else if (type === 'channel.reset') reset((data as { reason: string }).reason, began);
    else if (type === 'error') emitter.emit('error', new ChatClientError((data as ChatClientError).code));
    if (frame.cursor !== undefined) cursor = frame.cursor;
  };
  const ephemeral = ({ type, data, session_id: id }: Frame): void => {
    if (type === 'chat.typing' && id) typingOf(id).apply(data as Parameters<TypingList['apply']>[0]);
    if (type === 'chat.read' && id) {
      const read = data as ReadData;
      conversations.get(id)?.marks(read.by, read);
      emitter.emit('read', { sessionId: id, ...read });
    }
    if (type === 'chat.presence') for (const one of conversations.values()) one.touch();
  };
  const reset = (reason: string, from: string | null = null): void => {
    cursor = from;
    sequencer.clear();
    acks.forget();
    for (const one of conversations.values()) one.reset();
    emitter.emit('reset', { reason });
  };

  /** A following tab gets live frames from its leader; earlier events it reads itself. */
  const catchUp = async (reached: string | null): Promise<void> => {
    if (catchingUp || cursor === null || cursor === reached) return;
    catchingUp = [];
    try {
      for (let more = true; more; ) {
        const page = await api.feed(cursor ?? undefined, FEED_PAGE);
        for (const event of page.events) applyFrame(event);
        cursor = page.cursor;
        more = page.has_more;
      }
    } catch (error) {
      const code = error instanceof ChatClientError ? error.code : '';
      // Anything else is tried again when the leader is next heard of.
      if (code === 'cursor_ahead' || code === 'cursor_unknown') reset(code);
    } finally {
      const waiting = catchingUp;
      catchingUp = null;
      for (const frame of waiting) applyFrame(frame);
    }
  };
  const ready = (begins: string | null, isAnotherDatabase: boolean): void => {
    if (isAnotherDatabase) reset('epoch_changed');
    began = channel.connection.leads ? begins : null;
    if (!channel.connection.leads) void catchUp(begins);
    cursor ??= begins;
    if (viewing !== null) channel.connection.send({ type: 'viewing', session_id: viewing });
    for (const one of conversations.values()) one.resume();
    if (channel.connection.leads && !recovered) void recover();
  };
  /** Replies an earlier visit could not send: their conversations are opened until they are sent. */
  const recover = async (): Promise<void> => {
    recovered = true;
    for (const name of await storage.names('out:')) {
      const id = Number(name.split(':')[1]);
      if (id > 0) client.conversation(id);
    }
  };
  const frame = (one: Frame): void => {
    emitter.emit('frame', one);
    if (catchingUp && !EPHEMERAL.has(one.type)) catchingUp.push(one);
    else applyFrame(one);
  };

  const channel = createStaffChannel({
    environment,
    base,
    token,
    prefix,
    transports: options.transports ?? ALL_TRANSPORTS,
    tabs: options.tabs !== false,
    async restPoll(after) {
      if (after !== null) return { ...(await api.feed(after, FEED_PAGE)), last_seq: null };
      const { feed_cursor } = await api.sessions({ limit: 1 });
      return { events: [], last_seq: null, has_more: false, cursor: feed_cursor };
    },
    cursor: () => cursor,
    ready,
    frame,
    changed: store.touch,
    status(state) {
      if (state.status !== 'online') began = null;
      emitter.emit('status', state);
    },
  });
  const acks = createStaffAcks(environment, (items) => {
    if (!channel.connection.leads) return Promise.resolve();
    return channel.connection.send({ type: 'ack', items }) ? Promise.resolve() : api.ack(items);
  });

  const client: StaffClient = {
    api,
    getState: store.getState,
    subscribe: store.subscribe,
    on: emitter.on,
    connect(from) {
      cursor ??= from ?? null;
      channel.connection.connect();
    },
    disconnect: channel.connection.disconnect,
    onSession(sessionId, listener) {
      const set = listeners.get(sessionId) ?? new Set();
      listeners.set(sessionId, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(sessionId);
      };
    },
    seed(sessions) {
      for (const { id, last_seq } of sessions) sequencer.seed(id, last_seq);
    },
    conversation(sessionId) {
      const known = conversations.get(sessionId);
      known?.reopen();
      if (known) return known.conversation;
      const opened = openConversation(sessionId, {
        environment,
        storage,
        api,
        get typing() {
          return typingOf(sessionId);
        },
        userId: () => channel.userId,
        viewers: () => channel.users.filter(({ id, viewing: at }) => at === sessionId && id !== channel.userId),
        sendTyping: (active) => client.setTyping(sessionId, active),
        ack: (messageId) => acks.raise(sessionId, messageId),
        adoptsAfter: () => (channel.connection.leads ? (channel.connection.alone ? 0 : ADOPT_MS) : null),
        closed: () => conversations.delete(sessionId),
      });
      conversations.set(sessionId, opened);
      return opened.conversation;
    },
    setTyping: (sessionId, active) => void channel.connection.send({ type: 'typing', session_id: sessionId, active }),
    setViewing(sessionId) {
      viewing = sessionId;
      channel.connection.send({ type: 'viewing', session_id: sessionId });
    },
    ack: acks.raise,
    destroy() {
      channel.connection.destroy();
      for (const one of [...conversations.values()]) one.stop();
      for (const list of typing.values()) list.clear();
      acks.stop();
      sequencer.clear();
      store.clear();
      emitter.clear();
      listeners.clear();
    },
  };
  return client;
}
