import type { Logger } from '@chat-realtime/service-kit';
import type { FeedSource } from '../ports.ts';
import type { MarkStore } from '../storage/marks.ts';

const FLUSH_MS = 1_000;
const RETRY_MS = 5_000;
const PER_CALL = 1_000;

export interface DeliveryMarksParts {
  readonly source: Pick<FeedSource, 'acks'>;
  readonly store: MarkStore;
  readonly logger: Logger;
  readonly flushMs?: number;
}

/** Reports delivered messages, at most once a second. A mark is in the database until chat-service has accepted it. */
export class DeliveryMarks {
  readonly #parts: DeliveryMarksParts;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: DeliveryMarksParts) {
    this.#parts = parts;
  }

  /** Marks left by an earlier process. */
  start(): void {
    this.wake();
  }

  /** A mark was added. */
  wake(): void {
    this.#after(this.#parts.flushMs ?? FLUSH_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#flushing;
    await this.#flush();
  }

  #after(ms: number): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flushing = this.#flushing.then(() => this.#flush());
    }, ms);
  }

  async #flush(): Promise<void> {
    const { source, store, logger } = this.#parts;
    try {
      const due = await store.open(PER_CALL);
      if (due.length === 0) return;
      await source.acks(due);
      await store.told(due);
      if (due.length === PER_CALL) this.wake();
    } catch (error) {
      logger.debug({ err: error }, 'delivery marks were not taken; they are told again');
      this.#after(RETRY_MS);
    }
  }
}
