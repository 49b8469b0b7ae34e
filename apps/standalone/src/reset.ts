import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { guardFolder } from '@chat-realtime/database';
import { CARRIED_OVER, removeEmbeddedPostgres } from '@chat-realtime/embedded-postgres';
import { PASSWORD_FILE } from '@chat-realtime/auth-service';
import { CHAT_TOKEN_SECRETS_FILE } from './data-secrets.ts';
import { HOPS_SOCKET } from './hops-socket.ts';
import { KEPT_PAGES_FOLDER } from './earlier-pages.ts';
import { RESERVE_FILE } from './disk-reserve.ts';

/** The embedded database's folder in the data folder. */
export function databaseFolder(dataDir: string): string {
  return join(dataDir, 'database');
}

/** Everything that this program ever writes there; other files in the folder belong to somebody else. */
const OURS = [
  'attachments',
  CHAT_TOKEN_SECRETS_FILE,
  `${CHAT_TOKEN_SECRETS_FILE}.new`,
  PASSWORD_FILE,
  RESERVE_FILE,
  KEPT_PAGES_FOLDER,
  HOPS_SOCKET,
];
/** Of version 0.1.0, and what was carried over from it. */
const OURS_IN_DATABASE = ['pgdata', 'pgdata.unfinished', CARRIED_OVER];

/**
 * Empties the data folder, which the caller has reserved already. The database has a guard of its own, by which a
 * process of an earlier version is seen too.
 * @throws DatabaseStartError when another process serves what lies there; then nothing is deleted.
 */
export async function resetDataFolder(dataDir: string): Promise<void> {
  const database = databaseFolder(dataDir);
  const guard = await guardFolder(database);
  try {
    await removeEmbeddedPostgres(database);
    const paths = [...OURS_IN_DATABASE.map((name) => join(database, name)), ...OURS.map((name) => join(dataDir, name))];
    for (const path of paths) await rm(path, { recursive: true, force: true });
  } finally {
    await guard.release();
  }
}
