import type { LastSeen, LastSeenEntry } from '@chat-realtime/messaging';
import { type Clock, LATE, pause, type Timer, within } from '../clock.ts';
import type { CoreMetrics } from '../core-metrics.ts';
import type { ChatSource } from '@chat-realtime/protocol';
import type { CoreLogger } from '../ports.ts';

/** The same participant's acks are sent at most this often. */
const INTERVAL_MS = 1_000;
/** A first ack waits this long for those of the other receivers of the same message. */
const GATHER_MS = 30;
const BATCH_MAX = 1_000;
const PENDING_MAX = 100_000;
const RETRY_MAX_MS = 10_000;
/** A gateway that stops sends its pending acks within this time, with retries; less than its shutdown may take. */
const STOP_MS = 3_000;
const STOP_RETRY_MS = 100;

export interface AckBufferOptions {
  readonly clock: Clock;
  readonly source: ChatSource;
  readonly lastSeen: LastSeen;
  readonly metrics: CoreMetrics;
  readonly logger: CoreLogger;
}

/** Delivery marks on their way to chat-service: the latest per participant, kept until accepted. */
export class AckBuffer {
  readonly #options: AckBufferOptions;
  readonly #pending = new Map<string, LastSeenEntry>();
  #timer: Timer | null = null;
  /** Of the monotonic clock. */
  #flushedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #flushing: Promise<void> | null = null;
  #stopped = false;
  /** The epoch that the marks in Redis must have; null once it was written, and if chat-service names no database. */
  #beginning: { readonly epoch: string; readonly changed: boolean } | null = null;

  constructor(options: AckBufferOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pending.size;
  }

  record(sessionId: number, participant: string, lastId: number): void {
    const key = `${sessionId} ${participant}`;
    const known = this.#pending.get(key);
    if (known !== undefined && known.lastId >= lastId) return;
    if (known === undefined && this.#pending.size >= PENDING_MAX) return;
    this.#pending.set(key, { sessionId, participant, lastId, at: this.#options.clock.wall() });
    this.#schedule(Math.max(GATHER_MS, this.#flushedAt + INTERVAL_MS - this.#options.clock.now()));
  }

  /**
   * Sends all pending acks, however many batches that takes. One batch at a time, so that chat-service sets the pace.
   */
  flush(): Promise<void> {
    this.#flushing ??= this.#flushAll().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #flushAll(): Promise<void> {
    this.#flushedAt = this.#options.clock.now();
    const sending = [...this.#pending];
    for (let from = 0; from < sending.length; from += BATCH_MAX) {
      // An ack removed in the meantime is not sent.
      const batch = sending.slice(from, from + BATCH_MAX).filter(([key]) => this.#pending.has(key));
      if (batch.length > 0 && !(await this.#send(batch))) break;
    }
    if (this.#pending.size > 0) this.#schedule(Math.min(RETRY_MAX_MS, INTERVAL_MS * 2 ** this.#failures));
  }

  async #send(batch: readonly (readonly [string, LastSeenEntry])[]): Promise<boolean> {
    const entries = batch.map(([, entry]) => entry);
    try {
      await Promise.all([this.#sendToSource(entries), this.#sendToLastSeen(entries)]);
    } catch (error) {
      this.#failures += 1;
      this.#options.logger.warn(
        { err: error, pending: this.#pending.size },
        'acks were not accepted and will be sent again',
      );
      return false;
    }
    this.#failures = 0;
    // An ack that has moved on in the meantime is sent again.
    for (const [key, entry] of batch) if (this.#pending.get(key) === entry) this.#pending.delete(key);
    this.#options.metrics.acksSent(entries.length);
    return true;
  }

  /** This database answers from now on. `changed`: another one did before, and pending acks have its ids. */
  begin(epoch: string, changed: boolean): void {
    if (changed) this.#pending.clear();
    this.#beginning = { epoch, changed: changed || this.#beginning?.changed === true };
    void this.#beginLastSeen().catch((error: unknown) => {
      this.#options.logger.debug({ err: error }, 'last_seen will be started with the next mark');
    });
  }

  async #beginLastSeen(): Promise<void> {
    const beginning = this.#beginning;
    if (beginning === null) return;
    await this.#options.lastSeen.begin(beginning.epoch, beginning.changed);
    if (this.#beginning === beginning) this.#beginning = null;
  }

  /** Sends everything that was acknowledged, unless chat-service is unavailable for longer than a stop may last. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = null;
    const { clock } = this.#options;
    const deadline = clock.now() + STOP_MS;
    while (this.#pending.size > 0 && clock.now() < deadline) {
      if ((await within(clock, deadline - clock.now(), this.flush())) === LATE) break;
      if (this.#failures > 0) await pause(clock, STOP_RETRY_MS);
    }
    if (this.#pending.size > 0)
      this.#options.logger.warn(
        { pending: this.#pending.size },
        'acks are lost: chat-service did not accept them in time',
      );
  }

  #schedule(delay: number): void {
    if (this.#timer !== null || this.#stopped) return;
    this.#timer = this.#options.clock.after(delay, () => {
      this.#timer = null;
      void this.flush();
    });
  }

  async #sendToSource(entries: readonly LastSeenEntry[]): Promise<void> {
    await this.#options.source.acks({
      acks: entries.map((entry) => ({
        session_id: entry.sessionId,
        participant: entry.participant,
        last_id: entry.lastId,
        at: new Date(entry.at).toISOString(),
      })),
    });
  }

  /** A copy that may be lost: its absence costs speed, so it never holds back the source. */
  async #sendToLastSeen(entries: readonly LastSeenEntry[]): Promise<void> {
    try {
      // Before that, a smaller id of this database would lose against a larger one of the other.
      await this.#beginLastSeen();
      await this.#options.lastSeen.record(entries);
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'last_seen was not written');
    }
  }
}
