import type { SentMessage } from '../api/customer.ts';
import type { Environment } from '../api/environment.ts';
import type { Attachment, Message } from '../api/protocol.ts';
import { createCountdown } from '../core/countdown.ts';
import { backoffMs } from '../core/backoff.ts';
import type { JsonStorage } from '../core/json-storage.ts';
import { asError, ChatClientError, type ChatClientErrorCode } from '../errors.ts';

export const BODY_MAX = 10_000;
/** How long an unsent message is left to the tab in which it was written. */
export const ADOPT_MS = 5_000;
/** Time between two checks for accepted messages. */
const LOOK_MS = 5_000;

export interface OutboxEntry {
  /** The `client_message_id`, made once when the person pressed Send. */
  readonly id: string;
  readonly body: string;
  readonly attachments: readonly Attachment[];
  readonly created_at: string;
  /** Rises with each entry, across reloads too: the order in which they were written. */
  readonly order: number;
  readonly expected_seq?: number | undefined;
  readonly error: ChatClientErrorCode | null;
  /** The author, if several people may use one device. */
  readonly author?: string | undefined;
  /** The server has it, and has not shown it yet. Not stored: after a reload the port knows. */
  readonly taken?: boolean;
}

export interface OutboxPort {
  /**
   * Stores the entry on the server. Null: it is accepted and will come; if called again, nothing is sent. Rejects with
   * ChatClientError.
   */
  readonly post: (entry: OutboxEntry) => Promise<Message | null>;
  readonly stored: (message: Message) => void;
  readonly changed: () => void;
  /** The age (ms) from which entries of other tabs, or of an earlier visit, are sent by this one; null: never. */
  readonly adoptsAfter: () => number | null;
  readonly author?: () => string | undefined;
  /** Whether entries of this author are shown and sent here; default: only those of {@link author}. */
  readonly reads?: (author: string | undefined) => boolean;
}

export interface Outbox {
  readonly entries: () => readonly OutboxEntry[];
  readonly add: (body: string, attachments: readonly Attachment[], expectedSeq?: number) => SentMessage;
  readonly retry: (id: string, expectedSeq?: number) => void;
  readonly discard: (id: string) => void;
  /** The message arrived another way, as an event. */
  readonly settle: (message: Message) => void;
  readonly flush: () => void;
  /** Reads the stored entries: at start, and when another tab changed them. */
  readonly load: () => Promise<void>;
  readonly clear: () => void;
  /** Those that were refused for good and wait for the person's decision. */
  readonly discardFailed: () => void;
  readonly stop: () => void;
}

interface Waiter {
  readonly resolve: (message: Message) => void;
  readonly reject: (error: ChatClientError) => void;
}

/**
 * Texts the person has sent and no 2xx has confirmed: one post at a time, in order, under the same id until its outcome
 * is known.
 */
export function createOutbox(environment: Environment, storage: JsonStorage, name: string, port: OutboxPort): Outbox {
  const countdown = createCountdown(environment);
  /** In the order in which they were written. */
  let entries = new Map<string, OutboxEntry>();
  const mine = new Set<string>();
  /** When an entry of another tab, or of an earlier visit, was first seen here. */
  let found = new Map<string, number>();
  const waiters = new Map<string, Waiter>();
  /** When the server is next queried for messages that it has accepted and not shown. */
  const taken = new Map<string, number>();
  let posting = false;
  let failures = 0;
  /** The server has asked for no requests until then. */
  let notBefore: number;
  let stopped = false;
  let lastOrder = 0;

  const put = (entry: OutboxEntry): void => {
    entries.set(entry.id, entry);
    storage.set(name + entry.id, entry);
    port.changed();
  };
  const take = (id: string): Waiter | undefined => {
    const waiter = waiters.get(id);
    waiters.delete(id);
    mine.delete(id);
    taken.delete(id);
    if (entries.delete(id)) {
      storage.remove(name + id);
      port.changed();
    }
    return waiter;
  };
  const discard = (id: string): void => take(id)?.reject(new ChatClientError('discarded'));
  const stored = (id: string, message: Message): void => {
    failures = 0;
    const waiter = take(id);
    port.stored(message);
    waiter?.resolve(message);
  };
  /** True if the next attempt has to wait. */
  const failed = (entry: OutboxEntry, error: ChatClientError): boolean => {
    if (error.retryable) {
      // Not a number if there was no such request, and no time is before that.
      notBefore = environment.now() + (error.retryAfterMs as number);
      countdown.set(backoffMs(failures++, environment.random(), error.retryAfterMs), flush);
      return true;
    }
    taken.delete(entry.id);
    put({ ...entry, error: error.code });
    waiters.get(entry.id)?.reject(error);
    waiters.delete(entry.id);
    return false;
  };
  const post = (entry: OutboxEntry): Promise<boolean> => {
    // In the meantime it may have come back as an event, or the person discarded it.
    const settled = (): boolean => stopped || !entries.has(entry.id);
    return port.post(entry).then(
      (message) => {
        if (settled()) return false;
        if (message) stored(entry.id, message);
        else {
          failures = 0;
          taken.set(entry.id, environment.now() + LOOK_MS);
          port.changed();
        }
        return false;
      },
      (error: unknown) => !settled() && failed(entry, asError(error)),
    );
  };

  const run = async (): Promise<void> => {
    posting = true;
    try {
      for (let waits = false; !waits && !stopped; ) {
        const wait = port.adoptsAfter() ?? Infinity;
        const open = [...entries.values()].filter(({ error }) => !error);
        // Whichever comes first: its age, or how long it has been known here. If the clock was set, the age is
        // meaningless.
        const due = open.map(({ id, order }) =>
          taken.has(id)
            ? (taken.get(id) as number) - environment.now()
            : mine.has(id)
              ? 0
              : wait + Math.min(order - environment.wallNow(), (found.get(id) as number) - environment.now()),
        );
        const next = open[due.findIndex((ms) => ms <= 0)];
        if (next) waits = await post(next);
        else {
          const soonest = Math.min(...due);
          if (soonest < Infinity) countdown.set(soonest, flush);
          waits = true;
        }
      }
    } finally {
      posting = false;
    }
  };
  const flush = (): void => {
    // The countdown of that failure continues: it is at least as long.
    if (environment.now() < notBefore) return;
    countdown.clear();
    if (!posting && !stopped) void run();
  };

  return {
    entries: () => [...entries.values()].map((entry) => (taken.has(entry.id) ? { ...entry, taken: true } : entry)),
    add(body, attachments, expected_seq) {
      if ((!body.trim() && attachments.length === 0) || [...body].length > BODY_MAX)
        throw new ChatClientError('validation_failed');
      const id = environment.uuid();
      const now = environment.wallNow();
      lastOrder = Math.max(now, lastOrder + 1);
      mine.add(id);
      put({
        id,
        body,
        attachments,
        created_at: new Date(now).toISOString(),
        order: lastOrder,
        error: null,
        author: port.author?.(),
        expected_seq,
      });
      const promise = new Promise<Message>((resolve, reject) => waiters.set(id, { resolve, reject }));
      // A caller that ignores the outcome must not get an unhandled rejection.
      promise.catch(() => undefined);
      flush();
      return { clientMessageId: id, stored: promise };
    },
    retry(id, expected_seq) {
      const entry = entries.get(id);
      if (!entry) return;
      mine.add(id);
      put({ ...entry, error: null, expected_seq });
      flush();
    },
    discard,
    settle(message) {
      const id = message.client_message_id?.toLowerCase() ?? '';
      if (entries.has(id)) stored(id, message);
    },
    flush,
    async load() {
      const names = await storage.names(name);
      const kept = await Promise.all(names.map((key) => storage.get<OutboxEntry>(key)));
      const reads = port.reads ?? ((author) => author === port.author?.());
      const others = kept.filter((entry) => entry && !mine.has(entry.id) && reads(entry.author));
      const all = [...[...entries.values()].filter(({ id }) => mine.has(id)), ...(others as OutboxEntry[])];
      entries = new Map(all.sort((a, b) => a.order - b.order).map((entry) => [entry.id, entry]));
      lastOrder = Math.max(lastOrder, ...all.map(({ order }) => order));
      found = new Map(all.map(({ id }) => [id, found.get(id) ?? environment.now()]));
      port.changed();
      flush();
    },
    discardFailed: () => [...entries.values()].filter(({ error }) => error).forEach(({ id }) => discard(id)),
    clear: () => entries.forEach(({ id }) => discard(id)),
    stop() {
      stopped = true;
      countdown.clear();
    },
  };
}
