import type { ReadMarks } from '../api/customer.ts';
import type { Environment } from '../api/environment.ts';
import type { Message, Note, StaffEvent, StaffSession } from '../api/protocol.ts';
import type { PresenceUser, StaffConversation, StaffConversationState } from '../api/staff.ts';
import type { JsonStorage } from '../core/json-storage.ts';
import { createRisingMark } from '../core/rising-mark.ts';
import { createStore } from '../core/store.ts';
import { ChatClientError } from '../errors.ts';
import { sessionAfter } from '../customer/session-state.ts';
import { createHistory, type History } from '../sync/history.ts';
import { mergeMarks, NO_MARKS } from '../sync/marks.ts';
import { createOutbox } from '../sync/outbox.ts';
import { createSequence } from '../sync/sequence.ts';
import { createThread } from '../sync/thread.ts';
import { createTypingSender, type TypingList } from '../sync/typing.ts';
import type { StaffApi } from './api.ts';

type SeqEvent = StaffEvent & { readonly seq: number; readonly session_id: number };

export interface ConversationPort {
  readonly environment: Environment;
  readonly storage: JsonStorage;
  readonly api: StaffApi;
  readonly typing: TypingList;
  readonly userId: () => string | null;
  readonly viewers: () => readonly PresenceUser[];
  readonly sendTyping: (active: boolean) => void;
  readonly ack: (messageId: number) => void;
  readonly adoptsAfter: () => number | null;
  readonly closed: () => void;
}

/** Functions that the client needs and the console does not. */
export interface OpenConversation {
  readonly conversation: StaffConversation;
  readonly offer: (event: StaffEvent) => void;
  readonly marks: (by: 'client' | 'staff', marks: { delivered_id: number; read_id: number }) => void;
  readonly touch: () => void;
  /** After a connection came back. */
  readonly resume: () => void;
  /** The server could not resume: everything is reloaded. */
  readonly reset: () => void;
  /** Closed but still sending, and now opened again. */
  readonly reopen: () => void;
  /** At once, whatever is left to send: it stays stored. */
  readonly stop: () => void;
}

/** Notes loaded for one chat: whoever wrote thousands of them looks for the newest. */
const NOTE_PAGES_MAX = 20;

export function outboxName(sessionId: number): string {
  return `out:${sessionId}:`;
}

export function openConversation(sessionId: number, port: ConversationPort): OpenConversation {
  const { environment, api } = port;
  const thread = createThread('operator');
  let session: StaffSession | null = null;
  let notes: readonly Note[] = [];
  let marks: ReadMarks = NO_MARKS;
  let error: ChatClientError | null = null;

  const store = createStore<StaffConversationState>(() => ({
    session,
    messages: thread.view(outbox.entries(), marks.client),
    notes,
    history: history.state,
    typing: port.typing.typists.filter(({ user_id }) => user_id === null || user_id !== port.userId()),
    viewers: port.viewers(),
    readMarks: marks,
    seq: seq(),
    error,
  }));
  const { touch } = store;
  const seq = (): number => sequence.cursor ?? history.head ?? 0;

  const sequence = createSequence<SeqEvent>(environment, {
    async fetchAfter(afterSeq, limit) {
      const page = await api.events(sessionId, { afterSeq, limit });
      return { events: page.events as SeqEvent[], has_more: page.has_more };
    },
    apply(event) {
      if (event.type === 'chat.message' || event.type === 'chat.message.client') receive(event.data);
      if (event.type === 'chat.erased') {
        thread.erase(event.data);
        if (event.data.kinds.includes('messages')) notes = [];
        // Contact and notes are loaded as they are now.
        void head().then(found, () => undefined);
      }
      if (session) session = { ...session, ...sessionAfter(session, asCustomerEvent(event)) };
      touch();
    },
    reset: () => reset(),
  });
  const receive = (given: Message): void => {
    const message = api.own(sessionId, given);
    thread.add(message);
    outbox.settle(message);
    port.typing.ended(
      message.sender_type === 'client' ? 'client' : 'staff',
      message.sender_type === 'client' ? null : message.sender_id,
    );
    port.ack(message.id);
  };
  const head = async (): Promise<StaffSession> => {
    try {
      return await api.session(sessionId);
    } catch (cause) {
      if (cause instanceof ChatClientError && !cause.retryable) error = cause;
      touch();
      throw cause;
    }
  };
  const found = (read: StaffSession): void => {
    session = read;
    error = null;
    learnMarks(read);
    void readNotes();
  };
  const learnMarks = ({ client_last_seen_id, client_read_id, staff_read_id }: StaffSession): void => {
    marks = mergeMarks(marks, 'client', { delivered_id: client_last_seen_id, read_id: client_read_id });
    marks = mergeMarks(marks, 'staff', { delivered_id: staff_read_id, read_id: staff_read_id });
    touch();
  };
  const readNotes = async (): Promise<void> => {
    // The conversation works without them; the next load brings them.
    let beforeId: number | undefined;
    for (let page = 0; page < NOTE_PAGES_MAX; page += 1) {
      const found = await api.notes(sessionId, { beforeId }).catch(() => null);
      for (const note of found?.notes ?? []) addNote(note);
      beforeId = found?.notes[0]?.id;
      // A server of an earlier version sends all it has and has no `has_more`.
      if (found?.has_more !== true || beforeId === undefined) return;
    }
  };
  const addNote = (note: Note): void => {
    if (notes.some(({ id }) => id === note.id)) return;
    notes = [...notes, note].sort((a, b) => a.id - b.id);
    touch();
  };
  const history: History = createHistory<StaffSession>(environment, thread, {
    head,
    found,
    page: (beforeId) => api.messages(sessionId, { beforeId }),
    loaded(at) {
      sequence.restart(at);
      port.ack(thread.newestId);
    },
    changed: touch,
  });
  const reset = (): void => {
    sequence.restart(null);
    marks = NO_MARKS;
    history.reload();
  };

  let closing = false;
  const idle = (): boolean => outbox.entries().every(({ error: failed, taken }) => failed !== null || taken);
  /** A reply that is still being sent is completed before the conversation really closes. */
  const closeIfIdle = (): void => {
    if (!closing || !idle()) return;
    outbox.stop();
    port.closed();
  };
  const outbox = createOutbox(environment, port.storage, outboxName(sessionId), {
    post: ({ id, body, attachments, expected_seq }) =>
      api.send(sessionId, {
        body,
        client_message_id: id,
        ...(attachments.length > 0 && { attachments: attachments.map((one) => one.id) }),
        ...(expected_seq !== undefined && { expected_seq }),
      }),
    stored(message) {
      history.stored(message);
      touch();
    },
    changed() {
      touch();
      closeIfIdle();
    },
    adoptsAfter: port.adoptsAfter,
    author: () => port.userId() ?? undefined,
  });
  const reads = createRisingMark(environment, (lastId) => api.markRead(sessionId, lastId));
  const typingSender = createTypingSender(environment, port.sendTyping);

  history.reload();
  void outbox.load();

  const conversation: StaffConversation = {
    sessionId,
    getState: store.getState,
    subscribe: store.subscribe,
    send(text, { attachments = [], expectedSeq } = {}) {
      const known = expectedSeq === undefined ? seq() : (expectedSeq ?? undefined);
      typingSender.set(false);
      return outbox.add(text, attachments, known);
    },
    retry: (key) => outbox.retry(key, seq()),
    discard: outbox.discard,
    setTyping: (active) => typingSender.set(active),
    markRead(messageId = thread.newestId) {
      if (messageId <= marks.staff.read_id) return;
      marks = mergeMarks(marks, 'staff', { delivered_id: messageId, read_id: messageId });
      reads.raise(messageId);
      touch();
    },
    loadOlder: history.older,
    async reload() {
      error = null;
      reset();
      await new Promise<void>((resolve) => {
        const off = store.subscribe(() => {
          if (history.state.loading) return;
          off();
          resolve();
        });
      });
      if (error) throw error;
    },
    close() {
      typingSender.set(false);
      sequence.stop();
      history.clear();
      reads.stop();
      store.clear();
      closing = true;
      closeIfIdle();
    },
  };
  return {
    conversation,
    offer(event) {
      if (event.type === 'chat.note') addNote(event.data);
      else if (event.seq !== null) sequence.offer(event as SeqEvent);
    },
    marks(by, given) {
      marks = mergeMarks(marks, by, given);
      touch();
    },
    touch,
    resume() {
      history.ensure();
      // Marks have no seq, so nothing else reveals the lost ones.
      if (history.head !== null) void api.session(sessionId).then(learnMarks, () => undefined);
      outbox.flush();
      reads.kick();
    },
    reset,
    reopen() {
      if (!closing) return;
      closing = false;
      reset();
    },
    stop() {
      conversation.close();
      outbox.stop();
    },
  };
}

/** The name of the same event on the customer's side. */
function asCustomerEvent(event: SeqEvent): Parameters<typeof sessionAfter>[1] {
  return (event.type === 'chat.message.client' ? { ...event, type: 'chat.message' } : event) as Parameters<
    typeof sessionAfter
  >[1];
}
