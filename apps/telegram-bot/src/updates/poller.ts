import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@chat-realtime/service-kit';
import type { BotMetrics } from '../metrics.ts';
import type { UpdateStore } from '../storage/updates.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { TelegramFailure } from '../telegram/failures.ts';

const RETRY_MS = 1_000;
const RETRY_MAX_MS = 30_000;
/** Another process polls with this token: if both hurried, they would interrupt each other forever. */
const CONFLICT_MS = 5_000;

export interface PollerParts {
  readonly api: TelegramApi;
  readonly updates: Pick<UpdateStore, 'next' | 'take'>;
  readonly metrics: BotMetrics;
  readonly logger: Logger;
  readonly taken: () => void;
  readonly conflictMs?: number;
}

/** Polls Telegram for updates. They are stored before the next call confirms them. */
export class Poller {
  readonly #parts: PollerParts;
  readonly #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: PollerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { api, updates, metrics, logger, taken } = this.#parts;
    const { signal } = this.#abort;
    let offset: number | undefined;
    let isKnown = false;
    let waitMs = RETRY_MS;
    while (!signal.aborted) {
      try {
        if (!isKnown) {
          offset = await updates.next();
          isKnown = true;
        }
        const list = await api.updates(offset, signal);
        const fresh = await updates.take(list);
        const last = list.at(-1);
        // Goes back only if Telegram starts a new numbering, as after a week without updates, and not for a repeated
        // update.
        if (last !== undefined) offset = fresh > 0 ? last.update_id + 1 : Math.max(offset ?? 0, last.update_id + 1);
        if (list.length > 0) {
          metrics.updates.inc(list.length);
          taken();
        }
        metrics.polls.inc({ result: 'ok' });
        waitMs = RETRY_MS;
      } catch (error) {
        if (signal.aborted) return;
        const isConflict = error instanceof TelegramFailure && error.code === 'conflict';
        metrics.polls.inc({ result: isConflict ? 'conflict' : 'failed' });
        const named = error instanceof TelegramFailure ? error.retryAfterSeconds : undefined;
        const pause =
          named === undefined ? (isConflict ? (this.#parts.conflictMs ?? CONFLICT_MS) : waitMs) : named * 1_000;
        logger.warn(
          { err: error },
          isConflict ? 'another process asks Telegram for updates with this token' : 'Telegram gives no updates',
        );
        waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
