import type { Actor } from '../actors.ts';
import type { SessionRecord } from './session-record.ts';
import { requireOwnSession, sessionNotFound, type StorageContext } from './context.ts';
import { translated } from './errors.ts';
import { readSession } from './session-rows.ts';
import { isVisible } from './visibility.ts';

/** For operations that only check that the session is there and may be seen. */
export async function requireVisibleSession(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
): Promise<SessionRecord> {
  requireOwnSession(actor, sessionId);
  const session = await translated(() => readSession(context.database.kysely, sessionId));
  if (session === null || !isVisible(actor, session.assignedUserId)) throw sessionNotFound();
  return session;
}
