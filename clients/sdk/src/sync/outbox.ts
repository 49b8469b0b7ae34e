import type { SentMessage } from '../api/customer.ts';
import type { Environment, Timer } from '../api/environment.ts';
import type { Attachment, Message } from '../api/protocol.ts';
import { backoffMs } from '../core/backoff.ts';
import type { Keeper } from '../core/keeper.ts';
import { ChatClientError, type ChatClientErrorCode } from '../errors.ts';

const BODY_MAX = 10_000;

export interface OutboxEntry {
  /** The `client_message_id`, made once when the person pressed Send. */
  readonly id: string;
  readonly body: string;
  readonly attachments: readonly Attachment[];
  readonly created_at: string;
  /** Rises with each entry, across reloads too: the order in which they were written. */
  readonly order: number;
  readonly expected_seq?: number;
  readonly error: ChatClientErrorCode | null;
  /** Whose it is, where several people may use one device. */
  readonly author?: string;
}

export interface OutboxPort {
  /** Stores the entry on the server. Rejects with ChatClientError. */
  readonly post: (entry: OutboxEntry) => Promise<Message>;
  readonly stored: (message: Message) => void;
  readonly changed: () => void;
  /** When entries of other tabs, or of an earlier visit, are this one's to send: from which age (ms) on, null: never. */
  readonly adoptsAfter: () => number | null;
  readonly author?: () => string | undefined;
}

export interface Outbox {
  readonly entries: () => readonly OutboxEntry[];
  readonly add: (body: string, attachments: readonly Attachment[], expectedSeq?: number) => SentMessage;
  readonly retry: (id: string, expectedSeq?: number) => void;
  readonly discard: (id: string) => void;
  /** The message came back by another way, as an event. */
  readonly settle: (message: Message) => void;
  readonly flush: () => void;
  /** Reads what is stored: at start, and when another tab changed it. */
  readonly load: () => Promise<void>;
  readonly clear: () => void;
  readonly stop: () => void;
}

interface Waiter {
  readonly resolve: (message: Message) => void;
  readonly reject: (error: ChatClientError) => void;
}

/** Texts the person has sent and no 2xx has confirmed: one post at a time, in order, under the same id until it is known. */
export function createOutbox(environment: Environment, keeper: Keeper, name: string, port: OutboxPort): Outbox {
  let entries: OutboxEntry[] = [];
  const mine = new Set<string>();
  const waiters = new Map<string, Waiter>();
  let posting = false;
  let failures = 0;
  let timer: Timer = null;
  let stopped = false;
  let lastOrder = 0;

  const put = (entry: OutboxEntry): void => {
    entries = [...entries.filter(({ id }) => id !== entry.id), entry].sort((a, b) => a.order - b.order);
    keeper.set(name + entry.id, entry);
    port.changed();
  };
  const take = (id: string): Waiter | undefined => {
    const waiter = waiters.get(id);
    waiters.delete(id);
    mine.delete(id);
    if (entries.some((entry) => entry.id === id)) {
      entries = entries.filter((entry) => entry.id !== id);
      keeper.remove(name + id);
      port.changed();
    }
    return waiter;
  };
  const has = (id: string): boolean => entries.some((entry) => entry.id === id);
  const stored = (entry: OutboxEntry, message: Message): void => {
    failures = 0;
    const waiter = take(entry.id);
    port.stored(message);
    waiter?.resolve(message);
  };
  const failed = (entry: OutboxEntry, error: ChatClientError): void => {
    if (error.retryable) {
      const delay = backoffMs(failures, environment.random(), error.retryAfterMs);
      failures += 1;
      environment.clearTimer(timer);
      timer = environment.setTimer(flush, delay);
      return;
    }
    put({ ...entry, error: error.code });
    waiters.get(entry.id)?.reject(error);
    waiters.delete(entry.id);
  };

  const run = async (): Promise<void> => {
    posting = true;
    try {
      for (;;) {
        const now = environment.now();
        const wait = port.adoptsAfter();
        const due = ({ id, order }: OutboxEntry): number =>
          mine.has(id) ? 0 : wait === null ? Infinity : order + wait - now;
        const open = entries.filter(({ error }) => error === null);
        const next = open.find((entry) => due(entry) <= 0);
        if (stopped) return;
        if (!next) {
          const soonest = Math.min(...open.map(due));
          if (soonest < Infinity) timer = environment.setTimer(flush, soonest);
          return;
        }
        const outcome = await port.post(next).then(
          (message) => ({ message }),
          (error: unknown) => ({
            error:
              error instanceof ChatClientError
                ? error
                : new ChatClientError('invalid_response', undefined, { cause: error }),
          }),
        );
        // Meanwhile it may have come back as an event, or the person discarded it.
        if (stopped || !has(next.id)) continue;
        if ('message' in outcome) stored(next, outcome.message);
        else failed(next, outcome.error);
        if ('error' in outcome && outcome.error.retryable) return;
      }
    } finally {
      posting = false;
    }
  };
  const flush = (): void => {
    environment.clearTimer(timer);
    if (!posting && !stopped) void run();
  };

  return {
    entries: () => entries,
    add(body, attachments, expectedSeq) {
      if ((!body.trim() && attachments.length === 0) || [...body].length > BODY_MAX) {
        throw new ChatClientError('validation_failed', 'a message has 1 to 10,000 characters, or attachments');
      }
      const id = environment.uuid();
      const author = port.author?.();
      lastOrder = Math.max(environment.now(), lastOrder + 1);
      const created_at = new Date(environment.now()).toISOString();
      mine.add(id);
      put({
        id,
        body,
        attachments,
        created_at,
        order: lastOrder,
        error: null,
        ...(author !== undefined && { author }),
        ...(expectedSeq !== undefined && { expected_seq: expectedSeq }),
      });
      const promise = new Promise<Message>((resolve, reject) => waiters.set(id, { resolve, reject }));
      // Whoever does not look at the outcome must not get an unhandled rejection for it.
      promise.catch(() => undefined);
      flush();
      return { clientMessageId: id, stored: promise };
    },
    retry(id, expectedSeq) {
      const entry = entries.find((one) => one.id === id);
      if (!entry) return;
      mine.add(id);
      put({ ...entry, error: null, ...(expectedSeq !== undefined && { expected_seq: expectedSeq }) });
      flush();
    },
    discard: (id) => take(id)?.reject(new ChatClientError('discarded')),
    settle(message) {
      const id = message.client_message_id?.toLowerCase();
      const entry = entries.find((one) => one.id === id);
      if (entry) stored(entry, message);
    },
    flush,
    async load() {
      const names = await keeper.names(name);
      const found = await Promise.all(names.map((key) => keeper.get<OutboxEntry>(key)));
      const known = found.filter((entry) => entry !== null).filter(({ author }) => author === port.author?.());
      const kept = entries.filter(({ id }) => mine.has(id));
      const news = known.filter(({ id }) => !mine.has(id));
      entries = [...kept, ...news].sort((a, b) => a.order - b.order);
      lastOrder = entries.at(-1)?.order ?? lastOrder;
      port.changed();
      flush();
    },
    clear() {
      for (const { id } of entries) take(id)?.reject(new ChatClientError('discarded'));
    },
    stop() {
      stopped = true;
      environment.clearTimer(timer);
    },
  };
}
