import type { HistoryState } from '../api/customer.ts';
import type { Environment, Timer } from '../api/environment.ts';
import type { Message, MessagesResponse } from '../api/protocol.ts';
import { backoffMs } from '../core/backoff.ts';
import { ChatClientError } from '../errors.ts';
import type { Thread } from './thread.ts';

export interface HistoryPort {
  /** Seq of the session's newest event now. */
  readonly head: () => Promise<number>;
  readonly page: (beforeId?: number) => Promise<MessagesResponse>;
  /** The newest page is shown; events after `head` follow it. */
  readonly loaded: (head: number) => void;
  readonly changed: () => void;
}

export interface History {
  readonly state: HistoryState;
  /** Where the events begin that are not in the page being read. */
  readonly head: number | null;
  /** Before connecting: knows a head, and has begun to read. */
  readonly prepare: () => Promise<void>;
  /** Everything there is, as told by the answer that began the session. */
  readonly begin: (messages: readonly Message[], head: number) => void;
  readonly reload: () => void;
  /** Reads again what could not be read. */
  readonly ensure: () => void;
  readonly older: () => Promise<void>;
  /** A message known from another source while the page was being read. */
  readonly fresh: (message: Message) => void;
  readonly clear: () => void;
}

const EMPTY: HistoryState = { loaded: false, loading: false, hasOlder: false };

/** Snapshot: first the head, then the newest page, so that whatever is not in the page comes as an event after the head. */
export function createHistory(environment: Environment, thread: Thread, port: HistoryPort): History {
  let state = EMPTY;
  let head: number | null = null;
  let generation = 0;
  let failures = 0;
  let timer: Timer = null;
  let since: Message[] = [];

  const become = (change: Partial<HistoryState>): void => {
    state = { ...state, ...change };
    port.changed();
  };
  const read = async (): Promise<void> => {
    if (state.loading || state.loaded) return;
    const current = generation;
    environment.clearTimer(timer);
    since = [];
    become({ loading: true });
    try {
      const at = head ?? (await port.head());
      if (current !== generation) return;
      head = at;
      const page = await port.page();
      if (current !== generation) return;
      thread.replace(page.messages);
      for (const message of since) thread.add(message);
      failures = 0;
      become({ loaded: true, loading: false, hasOlder: page.has_more });
      port.loaded(at);
    } catch (error) {
      if (current !== generation) return;
      become({ loading: false });
      // A lasting refusal is the connection's to settle; its next `ready` reads again.
      if (error instanceof ChatClientError && !error.retryable) return;
      timer = environment.setTimer(() => void read(), backoffMs((failures += 1), environment.random()));
    }
  };
  const clear = (): void => {
    generation += 1;
    environment.clearTimer(timer);
    head = null;
    since = [];
    state = EMPTY;
  };
  return {
    get state() {
      return state;
    },
    get head() {
      return head;
    },
    async prepare() {
      if (state.loaded) return;
      const current = generation;
      const at = head ?? (await port.head());
      if (current !== generation) return;
      head ??= at;
      void read();
    },
    begin(messages, at) {
      clear();
      head = at;
      thread.replace(messages);
      become({ loaded: true });
      port.loaded(at);
    },
    reload() {
      clear();
      void read();
    },
    ensure: () => void read(),
    async older() {
      if (!state.loaded || state.loading || !state.hasOlder) return;
      const current = generation;
      become({ loading: true });
      try {
        const page = await port.page(thread.oldestId);
        if (current !== generation) return;
        for (const message of page.messages) thread.add(message);
        become({ loading: false, hasOlder: page.has_more });
      } finally {
        if (current === generation) become({ loading: false });
      }
    },
    fresh(message) {
      if (state.loading) since.push(message);
    },
    clear,
  };
}
