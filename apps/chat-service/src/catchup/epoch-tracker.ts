import { settleRestoredEvents } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import type { StorageContext } from '../storage/context.ts';

const RETRY_SECONDS = 1;

/** Notices from responses of the database that it was restored under this process, and repairs what depends on it. */
export class EpochTracker {
  readonly #context: StorageContext;
  #seen: string | undefined;

  constructor(context: StorageContext) {
    this.#context = context;
  }

  /**
   * The given epoch; null if it has changed: data read together with it may belong to either database, and must be read
   * again. @throws ChatError `unavailable` while the restore has not brought the epoch back.
   */
  async settled(epoch: string | null): Promise<string | null> {
    if (epoch === null)
      throw new ChatError('unavailable', 'the database is being restored', { retryAfterSeconds: RETRY_SECONDS });
    const seen = this.#seen;
    if (seen === epoch) return epoch;
    if (seen !== undefined) {
      this.#context.log.warn({ epoch }, 'the database was restored or replaced: earlier cursors are no longer valid');
      await settleRestoredEvents(this.#context.database);
    }
    this.#seen = epoch;
    return seen === undefined ? epoch : null;
  }
}
