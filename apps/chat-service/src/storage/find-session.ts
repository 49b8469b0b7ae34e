import type { SessionRecord } from './session-record.ts';
import type { StorageContext } from './context.ts';
import { translated } from './errors.ts';
import { readSession, readSessionByResumeKey, readSessionsByCustomer } from './session-rows.ts';

/** The session as the server has it, without any access check: for credentials, identity and sweeps. */
export function findSession({ database }: StorageContext, sessionId: number): Promise<SessionRecord | null> {
  return translated(() => readSession(database.kysely, sessionId));
}

export function findSessionByResumeKey({ database }: StorageContext, resumeKey: string): Promise<SessionRecord | null> {
  return translated(() => readSessionByResumeKey(database.kysely, resumeKey));
}

export function findSessionsByCustomer({ database }: StorageContext, customerId: string): Promise<SessionRecord[]> {
  return translated(() => readSessionsByCustomer(database.kysely, customerId));
}
