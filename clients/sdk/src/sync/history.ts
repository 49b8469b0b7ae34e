import type { HistoryState } from '../api/customer.ts';
import type { Environment } from '../api/environment.ts';
import type { Message, MessagesResponse } from '../api/protocol.ts';
import { createCountdown } from '../core/countdown.ts';
import { backoffMs } from '../core/backoff.ts';
import { asError } from '../errors.ts';
import type { Thread } from './thread.ts';

export interface HistoryPort<S extends { readonly last_seq: number }> {
  /** The session with the seq of its newest event, as it is now. */
  readonly head: () => Promise<S>;
  /** Only of the session that is still shown: an answer may arrive after a sign-out. */
  readonly found: (session: S) => void;
  readonly page: (beforeId?: number) => Promise<MessagesResponse>;
  /** The newest page is shown; events after `head` follow it. */
  readonly loaded: (head: number) => void;
  readonly changed: () => void;
}

export interface History {
  readonly state: HistoryState;
  /** The seq after which events follow that are not in the page being loaded. */
  readonly head: number | null;
  /** Before connecting: a head is known, and loading has started. */
  readonly prepare: () => Promise<void>;
  /** The complete history, from the answer that started the session. */
  readonly begin: (messages: readonly Message[], head: number) => void;
  readonly reload: () => void;
  /** Loads again what could not be loaded. */
  readonly ensure: () => void;
  readonly older: () => Promise<void>;
  /**
   * Shows a message of the outbox. The answer to a retry may be older than the loaded page: then its own page will
   * bring it.
   */
  readonly stored: (message: Message) => void;
  readonly clear: () => void;
}

const EMPTY: HistoryState = { loaded: false, loading: false, hasOlder: false, failed: false };

/**
 * Snapshot: first the head, then the newest page, so that everything not in the page comes as an event after the head.
 */
export function createHistory<S extends { readonly last_seq: number }>(
  environment: Environment,
  thread: Thread,
  port: HistoryPort<S>,
): History {
  const countdown = createCountdown(environment);
  let state = EMPTY;
  let head: number | null = null;
  let heading: Promise<number | undefined> | null = null;
  let generation = 0;
  let failures = 0;
  let since: Message[] = [];

  const become = (change: Partial<HistoryState>): void => {
    state = { ...state, ...change };
    port.changed();
  };
  /** Undefined if another session is shown by now. */
  const unlessCleared = async <T>(asked: Promise<T>): Promise<T | undefined> => {
    const current = generation;
    try {
      const answer = await asked;
      return current === generation ? answer : undefined;
    } catch (error) {
      if (current === generation) throw error;
      return undefined;
    }
  };
  const askHead = async (): Promise<number | undefined> => {
    const current = generation;
    try {
      const found = await unlessCleared(port.head());
      if (!found) return undefined;
      head = found.last_seq;
      port.found(found);
      return head;
    } finally {
      if (current === generation) heading = null;
    }
  };
  /** Requested once: a second answer could be older than the events that came after the first. */
  const findHead = async (): Promise<number | undefined> => head ?? (heading ??= askHead());
  /** Not above the oldest one shown while more are in between: nobody would ever request those. */
  const show = (message: Message, hasOlder = state.hasOlder): void => {
    if (!hasOlder || message.id > thread.oldestId) thread.add(message);
  };
  const read = async (): Promise<void> => {
    if (state.loading || state.loaded) return;
    countdown.clear();
    since = [];
    become({ loading: true });
    try {
      const at = await findHead();
      const page = at === undefined ? at : await unlessCleared(port.page());
      if (!page) return;
      thread.replace(page.messages);
      for (const message of since) show(message, page.has_more);
      failures = 0;
      become({ loaded: true, loading: false, failed: false, hasOlder: page.has_more });
      port.loaded(head ?? 0);
    } catch (error) {
      become({ loading: false, failed: true });
      // The connection handles a permanent refusal; its next `ready` loads again.
      if (asError(error).retryable) countdown.set(backoffMs((failures += 1), environment.random()), () => void read());
    }
  };
  const clear = (): void => {
    generation += 1;
    countdown.clear();
    head = heading = null;
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
      if (!state.loaded && (await findHead()) !== undefined) void read();
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
      become({ loading: true });
      try {
        const page = await unlessCleared(port.page(thread.oldestId));
        if (!page) return;
        page.messages.forEach(thread.add);
        become({ loading: false, failed: false, hasOlder: page.has_more });
      } catch (error) {
        become({ loading: false, failed: true });
        throw error;
      }
    },
    stored(message) {
      if (state.loading) since.push(message);
      show(message);
    },
    clear,
  };
}
