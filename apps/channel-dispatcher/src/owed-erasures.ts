import type { EventConsumer, Fanout, FanoutCommand } from '@chat-realtime/messaging';
import type { Logger } from '@chat-realtime/service-kit';
import type { DispatcherMetrics } from './metrics.ts';

/** Far more chats than the stream has frames. */
const MAX_SCRUBS = 10_000;

export type Scrub = Extract<FanoutCommand, { kind: 'scrub' }>;

export interface OwedErasuresOptions {
  readonly consumer: EventConsumer;
  readonly fanout: Fanout;
  readonly metrics: DispatcherMetrics;
  readonly logger: Logger;
}

/**
 * What an erasure could not delete at once. It is kept in memory and tried again, since the events behind an erasure must
 * neither wait for it nor be given back with it: the queue parks what was given back too often.
 */
export class OwedErasures {
  readonly #options: OwedErasuresOptions;
  /** How many erasures asked for the dead letters to be emptied, and how many of them have had it. */
  #asked = 0;
  #emptied = 0;
  readonly #scrubs = new Map<number, Scrub>();
  #repaying = false;

  constructor(options: OwedErasuresOptions) {
    this.#options = options;
  }

  /** Now, or with a later `repay`. Never rejects. */
  async emptyDeadLetters(): Promise<void> {
    const waits = this.#asked > this.#emptied;
    this.#asked += 1;
    // A queue that gave no answer once would hold up every further erasure.
    if (!waits) await this.#empty();
  }

  /** With the next `repay`. */
  scrubLater(scrub: Scrub): void {
    const owed = this.#scrubs.get(scrub.sessionId);
    if (owed === undefined && this.#scrubs.size >= MAX_SCRUBS) {
      this.#failed(new Error('too many are owed'), 'a chat that was erased stays in the stream');
      return;
    }
    const throughSeq = Math.max(scrub.throughSeq, owed?.throughSeq ?? 0);
    this.#scrubs.set(scrub.sessionId, { ...scrub, throughSeq });
  }

  /** Never rejects; does nothing while it is under way. */
  async repay(): Promise<void> {
    if (this.#repaying) return;
    this.#repaying = true;
    if (this.#asked > this.#emptied) await this.#empty();
    if (this.#options.fanout.connected) await this.#scrub();
    this.#repaying = false;
  }

  async #empty(): Promise<void> {
    // One that asks meanwhile may have come too late for this.
    const upTo = this.#asked;
    try {
      await this.#options.consumer.emptyDeadLetters();
      this.#emptied = Math.max(this.#emptied, upTo);
    } catch (error) {
      this.#failed(error, 'the dead letters wait to be emptied after an erasing');
    }
  }

  /** One at a time: each looks through the whole stream. */
  async #scrub(): Promise<void> {
    for (const [sessionId, scrub] of this.#scrubs) {
      try {
        await this.#options.fanout.execute([scrub]);
      } catch (error) {
        this.#failed(error, 'what was erased waits to be taken out of the stream');
        return;
      }
      if (this.#scrubs.get(sessionId) === scrub) this.#scrubs.delete(sessionId);
    }
  }

  #failed(error: unknown, message: string): void {
    this.#options.metrics.errors.inc({ reason: 'erasure_unfinished' });
    this.#options.logger.error({ err: error, scrubs: this.#scrubs.size }, message);
  }
}
