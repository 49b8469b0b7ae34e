import { type Database, DatabaseStartError, type DedicatedSession } from '@chat-realtime/database';
import type { Logger } from '@chat-realtime/service-kit';

/** Any fixed number: the lock's name within the database. */
const INSTANCE_LOCK = 7_310_402_001;

/**
 * Memory adapters join only what runs in one process, so a second one on the same database would not hear the first.
 * The lock lives as long as its connection: a crash frees it at once.
 * @throws DatabaseStartError when another process has it.
 */
export async function claimDatabase(database: Database, logger: Logger, onLost: () => void): Promise<DedicatedSession> {
  const session = await database.acquireSession();
  if (!(await session.tryLock(INSTANCE_LOCK))) {
    await session.release();
    throw new DatabaseStartError(
      'another standalone process uses this database; run several processes as the distributed form does',
    );
  }
  session.onLost((reason) => {
    logger.error({ err: reason }, 'the connection that proves this is the only process is lost');
    onLost();
  });
  return session;
}
