import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, DatabaseStartError, type DedicatedSession } from '@chat-realtime/database';
import type { Logger } from '@chat-realtime/service-kit';

/** Any fixed number: the lock's name within the database. */
const INSTANCE_LOCK = 7_310_402_001;
const RETRY_MS = 500;
/** A server that was cut off may still hold the lock for our own lost connection. */
const TAKEN_MS = 15_000;

/**
 * Memory adapters join only what runs in one process, so a second one on the same database would not hear the first.
 * The lock lives as long as its connection: a crash frees it at once, a restart of the database too. It is then taken
 * again as soon as the database is back; only when somebody else has it meanwhile may this process not go on.
 */
export class InstanceClaim {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #onTaken: () => void;
  #session: DedicatedSession | undefined;
  #released = false;

  private constructor(database: Database, logger: Logger, onTaken: () => void) {
    this.#database = database;
    this.#logger = logger;
    this.#onTaken = onTaken;
  }

  /** @throws DatabaseStartError when another process has it. */
  static async take(database: Database, logger: Logger, onTaken: () => void): Promise<InstanceClaim> {
    const claim = new InstanceClaim(database, logger, onTaken);
    if (!(await claim.#try()))
      throw new DatabaseStartError(
        'another standalone process uses this database; run several processes as the distributed form does',
      );
    return claim;
  }

  async release(): Promise<void> {
    this.#released = true;
    await this.#session?.release();
  }

  async #try(): Promise<boolean> {
    const session = await this.#database.acquireSession();
    const isOurs = await session.tryLock(INSTANCE_LOCK).catch(async (error: unknown) => {
      await session.release();
      throw error;
    });
    if (!isOurs || this.#released) {
      await session.release();
      return isOurs;
    }
    this.#session = session;
    session.onLost((reason) => {
      this.#logger.warn(
        { err: reason },
        'the connection that proves this is the only process is lost: taking it again',
      );
      void this.#takeAgain();
    });
    return true;
  }

  async #takeAgain(): Promise<void> {
    let takenSince: number | undefined;
    while (!this.#released) {
      try {
        if (await this.#try()) {
          this.#logger.info({}, 'this is the only process on the database again');
          return;
        }
        takenSince ??= performance.now();
        if (performance.now() - takenSince > TAKEN_MS) {
          this.#logger.error({}, 'another process has taken over the database');
          this.#onTaken();
          return;
        }
      } catch (error) {
        takenSince = undefined;
        this.#logger.debug({ err: error }, 'the database is still away');
      }
      await sleep(RETRY_MS);
    }
  }
}
