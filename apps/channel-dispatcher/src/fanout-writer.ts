import { Backoff, type Fanout, type FanoutCommand, RefusedError } from '@chat-realtime/messaging';
import type { Logger } from '@chat-realtime/service-kit';
import type { DispatcherMetrics, ErrorReason } from './metrics.ts';

const RETRY_MIN_MS = 20;
const RETRY_MAX_MS = 500;

export interface Batch {
  readonly durable: readonly FanoutCommand[];
  /** Sent at most once: their latest value is wanted, not an old one after an outage. */
  readonly ephemeral: readonly FanoutCommand[];
}

export interface WriterOptions {
  readonly fanout: Fanout;
  readonly metrics: DispatcherMetrics;
  readonly logger: Logger;
}

export type Scrub = Extract<FanoutCommand, { kind: 'scrub' }>;

export interface Written {
  /** What was to be removed from a stream that Redis refuses to change now. */
  readonly unfinished: readonly Scrub[];
}

/** Hands batches to the fan-out, and again while it fails, in place: nothing overtakes and nothing is requeued. */
export class FanoutWriter {
  readonly #options: WriterOptions;
  readonly #stopped = new AbortController();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Null if Redis did not accept the durable frames within `patienceMs`, or this ends. */
  async write(batch: Batch, patienceMs: number): Promise<Written | null> {
    const backoff = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    const giveUpAt = performance.now() + patienceMs;
    let commands = [...batch.ephemeral, ...batch.durable];
    for (let attempt = 1; ; attempt += 1) {
      const written = await this.#attempt(commands, attempt);
      if (written !== null) return written;
      commands = [...batch.durable];
      if (commands.length === 0) return { unfinished: [] };
      if (this.#stopped.signal.aborted || performance.now() >= giveUpAt) return null;
      await pause(backoff.next(), this.#stopped.signal);
    }
  }

  /** Ends waiting: what is under way fails at its next attempt. */
  stop(): void {
    this.#stopped.abort();
  }

  async #attempt(commands: readonly FanoutCommand[], attempt: number): Promise<Written | null> {
    try {
      await this.#options.fanout.execute(commands);
      return { unfinished: [] };
    } catch (error) {
      const reason = errorReason(error, commands);
      this.#options.metrics.errors.inc({ reason });
      // Once per batch: during an outage each further attempt would say the same.
      if (attempt === 1) this.#options.logger.warn({ err: error, reason }, 'redis did not take a batch');
      // The live frames are out. A full disk or memory may last for hours, and must not stop delivery for the sake of a
      // stream whose readers repair themselves from the feed. What was to be erased from it is tried again later.
      if (reason !== 'stream_refused' || !(error instanceof RefusedError)) return null;
      return {
        unfinished: error.refused.map((index) => commands[index]).filter((command) => command?.kind === 'scrub'),
      };
    }
  }
}

function errorReason(error: unknown, commands: readonly FanoutCommand[]): ErrorReason {
  if (!(error instanceof RefusedError)) return 'redis_unavailable';
  return error.refused.every((index) => commands[index]?.kind !== 'publish') ? 'stream_refused' : 'redis_refused';
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
