import type { RevocationSet } from '@chat-realtime/verifier';
import type { ChatOperations } from '../domain/index.ts';

/** REST refuses revoked tokens within 2 s; half of it leaves room for a slow answer. */
const REFRESH_MS = 1_000;

export interface RevocationLog {
  warn(facts: object, message: string): void;
}

/** Keeps the verifier's revocations up to date from the table, so that no request has to ask the database. */
export class RevocationRefresher {
  readonly #operations: ChatOperations;
  readonly #set: RevocationSet;
  readonly #log: RevocationLog;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isFailing = false;

  constructor(operations: ChatOperations, set: RevocationSet, log: RevocationLog) {
    this.#operations = operations;
    this.#set = set;
    this.#log = log;
  }

  /** Resolves when the set is filled: no request may be answered before. */
  async start(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => void this.#refreshQuietly(), REFRESH_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  async refresh(): Promise<void> {
    for (;;) {
      const page = await this.#operations.revocations(this.#set.place);
      this.#set.applyPage(page);
      if (!page.hasMore) return;
    }
  }

  #refreshQuietly(): Promise<void> {
    this.#running ??= this.refresh()
      .then(
        () => {
          this.#isFailing = false;
        },
        (error: unknown) => {
          if (!this.#isFailing)
            this.#log.warn({ err: error }, 'revocations cannot be read; the known ones go on holding');
          this.#isFailing = true;
        },
      )
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}
