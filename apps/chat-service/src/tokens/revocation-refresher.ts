import { setTimeout as sleep } from 'node:timers/promises';
import type { RevocationPage, RevocationPlace } from '@chat-realtime/protocol';
import type { RevocationSet } from '@chat-realtime/verifier';

/** REST refuses revoked tokens within 2 s; half of it leaves room for a slow answer. */
const REFRESH_MS = 1_000;
/** The database was there a moment ago, when the schema was looked at; on a busy machine it may not answer at once. */
const START_PATIENCE_MS = 60_000;
const START_RETRY_MS = 250;

export interface RevocationReader {
  /** The revocations after a place; all of them if the place belongs to another epoch. */
  revocations(after: RevocationPlace): Promise<RevocationPage>;
}

export interface RevocationLog {
  warn(fields: object, message: string): void;
}

/** Keeps the verifier's revocations up to date from the table, so that no request has to ask the database. */
export class RevocationRefresher {
  readonly #reader: RevocationReader;
  readonly #set: RevocationSet;
  readonly #log: RevocationLog;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isFailing = false;

  constructor(reader: RevocationReader, set: RevocationSet, log: RevocationLog) {
    this.#reader = reader;
    this.#set = set;
    this.#log = log;
  }

  /** Resolves when the set is filled: no request may be answered before. Rejects after a minute without an answer. */
  async start(): Promise<void> {
    const deadline = performance.now() + START_PATIENCE_MS;
    while (!(await this.#filled(deadline))) await sleep(START_RETRY_MS);
    this.#timer = setInterval(() => void this.#refreshQuietly(), REFRESH_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  async refresh(): Promise<void> {
    await this.#set.readOn((after) => this.#reader.revocations(after));
  }

  async #filled(deadline: number): Promise<boolean> {
    try {
      await this.refresh();
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      if (!this.#isFailing)
        this.#log.warn({ err: error }, 'revocations cannot be read yet; nothing is answered until they are');
      this.#isFailing = true;
      return false;
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
