import type { Database } from '@chat-realtime/database';
import type { ChatLog } from '../ports.ts';

/** A task that is started, and ended before another process may start it. */
export interface Running {
  stop(): Promise<void>;
}

export interface ExclusiveTaskOptions {
  readonly database: Database;
  /** Key of the advisory lock: its holder runs. */
  readonly lock: number;
  readonly log: ChatLog;
  readonly begin: () => Running;
  readonly retryMs?: number;
}

const RETRY_MS = 1_500;
/** A holder that is cut off loses the lock after this long. */
const SILENCE_MS = 3_000;

/** Runs a task in exactly one of the processes that share a database. The others stand by. */
export class ExclusiveTask {
  readonly #options: ExclusiveTaskOptions;
  #stopping = false;
  #wake: () => void = () => undefined;
  #loop: Promise<void> | undefined;

  constructor(options: ExclusiveTaskOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#campaign();
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        this.#options.log.warn({ error: text }, 'a source of events lost its database connection');
        await this.#pause();
      }
    }
  }

  async #campaign(): Promise<void> {
    const { database, lock, begin, retryMs = RETRY_MS } = this.#options;
    const session = await database.acquireSession({ silenceMs: SILENCE_MS });
    let lost = false;
    session.onLost(() => {
      lost = true;
      this.#wake();
    });
    try {
      while (!this.#stopping && !lost && !(await session.tryLock(lock))) await this.#pause(retryMs);
      if (this.#stopping || lost) return;
      const running = begin();
      try {
        while (!this.#stopping && !lost) await this.#pause(Number.POSITIVE_INFINITY);
      } finally {
        await running.stop();
      }
    } finally {
      await session.release();
    }
  }

  /** Until `ms` have passed or somebody wakes it. */
  #pause(ms = RETRY_MS): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
