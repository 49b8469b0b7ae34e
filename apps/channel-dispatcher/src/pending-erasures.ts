import type { EventConsumer, Fanout } from '@chat-realtime/messaging';
import { type PendingErasure, STAFF_STREAM_FIELD, STAFF_STREAM_KEY } from '@chat-realtime/protocol';
import type { Logger } from '@chat-realtime/service-kit';
import type { DispatcherMetrics } from './metrics.ts';

/** An event that was given back comes again within half a minute, perhaps to another dispatcher. */
const REFUSED_FOR_MS = 90_000;

export interface PendingErasuresOptions {
  readonly consumer: EventConsumer;
  readonly fanout: Fanout;
  readonly metrics: DispatcherMetrics;
  readonly logger: Logger;
}

/**
 * What an erasure could not delete at once. RabbitMQ keeps it in a queue of its own and it is tried again from there:
 * the events behind an erasure must neither wait for it nor be given back with it, and a restart must not forget it.
 */
export class PendingErasures {
  readonly #options: PendingErasuresOptions;
  /** A queue of dead letters that gave no answer once would hold up every further erasure. */
  #deadLettersFail = false;
  #retrying = false;
  /** In the queue, as far as this process knows; and what the queue did not take, whose events come again. */
  #kept = 0;
  #refused = 0;
  #refusedAt = 0;

  constructor(options: PendingErasuresOptions) {
    this.#options = options;
  }

  /** False when they are to be emptied later. Never rejects. */
  async emptyDeadLetters(): Promise<boolean> {
    return this.#deadLettersFail ? false : this.#empty();
  }

  /** False when they are not certain to be remembered: then the event that erases must not be forgotten either. */
  async keep(erasures: readonly PendingErasure[]): Promise<boolean> {
    try {
      if (erasures.length > 0) await this.#options.consumer.keepErasures(erasures);
      this.#count(this.#kept + erasures.length, 0);
      return true;
    } catch (error) {
      this.#refusedAt = performance.now();
      this.#count(this.#kept, erasures.length);
      this.#failed(error, 'RabbitMQ does not keep an unfinished erasure: its event comes again');
      return false;
    }
  }

  /** Never rejects; does nothing while it is under way. */
  async retry(): Promise<void> {
    const { consumer, fanout } = this.#options;
    // Without Redis nothing was consumed either, and each attempt would only move what waits to the end of its queue.
    if (this.#retrying || !consumer.connected || !fanout.connected) return;
    this.#retrying = true;
    /** One attempt of each kind speaks for all: where it failed, the others of the round are only kept. */
    let deadLetters: boolean | null = null;
    let streamFails = false;
    try {
      const left = await consumer.retryErasures(async (erasure) => {
        // Those of this round were asked for before it, so it is enough to empty once.
        if (erasure.from === 'dead_letters') return (deadLetters ??= await this.#empty());
        if (!streamFails) streamFails = !(await this.#scrub(erasure.session_id, erasure.through_seq));
        return !streamFails;
      });
      const isOld = performance.now() - this.#refusedAt > REFUSED_FOR_MS;
      this.#count(left, isOld ? 0 : this.#refused);
    } catch (error) {
      this.#failed(error, 'unfinished erasures could not be read');
    }
    this.#retrying = false;
  }

  async #empty(): Promise<boolean> {
    try {
      await this.#options.consumer.emptyDeadLetters();
      this.#deadLettersFail = false;
      return true;
    } catch (error) {
      this.#deadLettersFail = true;
      this.#failed(error, 'the dead letters wait to be emptied after an erasing');
      return false;
    }
  }

  async #scrub(sessionId: number, throughSeq: number): Promise<boolean> {
    const place = { stream: STAFF_STREAM_KEY, field: STAFF_STREAM_FIELD };
    try {
      await this.#options.fanout.execute([{ kind: 'scrub', ...place, sessionId, throughSeq }]);
      return true;
    } catch (error) {
      this.#failed(error, 'what was erased waits to be taken out of the stream');
      return false;
    }
  }

  #count(kept: number, refused: number): void {
    this.#kept = kept;
    this.#refused = refused;
    this.#options.metrics.erasuresPending.set(this.#kept + this.#refused);
  }

  #failed(error: unknown, message: string): void {
    this.#options.metrics.errors.inc({ reason: 'erasure_unfinished' });
    this.#options.logger.error({ err: error }, message);
  }
}
