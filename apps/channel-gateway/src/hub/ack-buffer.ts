import type { LastSeen, LastSeenEntry } from '@chat-realtime/messaging';
import type { HubMetrics } from './metrics.ts';
import type { ChatSource, HubLogger } from './ports.ts';

/** The same participant's acks are told at most this often. */
const INTERVAL_MS = 1_000;
/** A first ack waits this long for those of the other receivers of the same message. */
const GATHER_MS = 30;
const BATCH_MAX = 1_000;
const PENDING_MAX = 100_000;
const RETRY_MAX_MS = 10_000;

export interface AckBufferOptions {
  readonly source: ChatSource;
  readonly lastSeen: LastSeen;
  readonly metrics: HubMetrics;
  readonly logger: HubLogger;
}

/** Delivery marks on their way to chat-service: the latest per participant, kept until accepted. */
export class AckBuffer {
  readonly #options: AckBufferOptions;
  readonly #pending = new Map<string, LastSeenEntry>();
  #timer: NodeJS.Timeout | null = null;
  #flushedAt = 0;
  #failures = 0;
  #flushing = false;

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
    this.#pending.set(key, { sessionId, participant, lastId, at: Date.now() });
    this.#schedule(Math.max(GATHER_MS, this.#flushedAt + INTERVAL_MS - Date.now()));
  }

  /** Tells what is pending now; used by the drain, so that nothing acknowledged is forgotten. */
  async flush(): Promise<void> {
    if (this.#flushing || this.#pending.size === 0) return;
    this.#flushing = true;
    this.#flushedAt = Date.now();
    const batch = [...this.#pending].slice(0, BATCH_MAX);
    const entries = batch.map(([, entry]) => entry);
    try {
      await Promise.all([this.#tellSource(entries), this.#tellLastSeen(entries)]);
      this.#failures = 0;
      for (const [key, entry] of batch) if (this.#pending.get(key) === entry) this.#pending.delete(key);
      this.#options.metrics.acksSent(entries.length);
    } catch (error) {
      this.#failures += 1;
      this.#options.logger.warn(
        { err: error, pending: this.#pending.size },
        'acks were not accepted and will be told again',
      );
    } finally {
      this.#flushing = false;
    }
    if (this.#pending.size > 0) this.#schedule(Math.min(RETRY_MAX_MS, INTERVAL_MS * 2 ** this.#failures));
  }

  async stop(): Promise<void> {
    await this.flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(delay: number): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.flush();
    }, delay);
  }

  async #tellSource(entries: readonly LastSeenEntry[]): Promise<void> {
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
  async #tellLastSeen(entries: readonly LastSeenEntry[]): Promise<void> {
    try {
      await this.#options.lastSeen.record(entries);
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'last_seen was not written');
    }
  }
}
