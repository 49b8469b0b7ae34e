import type { Database } from '@chat-realtime/database';
import type { ChatLog } from '../ports.ts';

export const WAKE_UP_CHANNEL = 'chat_relay';
const WAKE_UP = { name: 'relay-wake-up', text: `SELECT pg_notify('${WAKE_UP_CHANNEL}', '')` } as const;
/** Under load one stands for everything that was committed meanwhile. */
const GAP_MS = 10;

/**
 * Tells the leader in another process that something was committed here. It is sent after the commit and outside of it:
 * a transaction that notifies takes a lock of the whole cluster while it commits, and every message would wait for it.
 * One is sent at a time, and none has to arrive: the leader polls anyway.
 */
export class WakeUp {
  readonly #database: Pick<Database, 'kind' | 'query'>;
  readonly #log: ChatLog;
  #busy = false;
  #again = false;

  constructor(database: Pick<Database, 'kind' | 'query'>, log: ChatLog) {
    this.#database = database;
    this.#log = log;
  }

  send(): void {
    // An embedded database has one process.
    if (this.#database.kind === 'pglite') return;
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#again = false;
    void this.#notify();
  }

  async #notify(): Promise<void> {
    try {
      await this.#database.query(WAKE_UP);
    } catch (error) {
      this.#log.debug(
        { error: error instanceof Error ? error.message : String(error) },
        'the relay leader could not be woken; it polls',
      );
    }
    setTimeout(() => {
      this.#busy = false;
      if (this.#again) this.send();
    }, GAP_MS).unref();
  }
}
