import type { Ack } from '@chat-realtime/protocol';
import type { Logger } from '@chat-realtime/service-kit';
import type { Ledger } from '../ports.ts';
import type { DueSend } from '../storage/sends.ts';

const FLUSH_MS = 1_000;
const RETRY_MS = 5_000;
const PER_CALL = 1_000;

/** Tells what has reached a person: the latest of each, at most once a second, kept until it was taken. */
export class DeliveryMarks {
  readonly #ledger: Ledger;
  readonly #logger: Logger;
  readonly #marks = new Map<string, Ack>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(ledger: Ledger, logger: Logger) {
    this.#ledger = ledger;
    this.#logger = logger;
  }

  delivered({ sessionId, messageId, userId, customerId }: DueSend): void {
    if (sessionId === null || messageId === null) return;
    const participant = customerId !== null ? 'client' : userId === null ? undefined : `staff:${userId}`;
    if (participant === undefined) return;
    const key = `${sessionId} ${participant}`;
    if ((this.#marks.get(key)?.last_id ?? 0) >= messageId) return;
    this.#marks.set(key, { session_id: sessionId, participant, last_id: messageId, at: new Date().toISOString() });
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#flush(true);
    await this.#flushing;
  }

  #flush(last = false): void {
    this.#timer = undefined;
    const due = [...this.#marks].slice(0, PER_CALL);
    if (due.length === 0) return;
    this.#flushing = this.#ledger.acks(due.map(([, ack]) => ack)).then(
      () => {
        for (const [key, ack] of due) if (this.#marks.get(key) === ack) this.#marks.delete(key);
        if (this.#marks.size > 0 && !last) this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
      },
      (error: unknown) => {
        this.#logger.debug({ err: error }, 'delivery marks were not taken; they are told again');
        if (!last) this.#timer ??= setTimeout(() => this.#flush(), RETRY_MS);
      },
    );
  }
}
