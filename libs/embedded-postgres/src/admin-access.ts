import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseStartError, FolderInUseError } from '@chat-realtime/database';
import { addressAt } from './address.ts';
import { CLUSTER, keptPassword } from './cluster.ts';
import { DATABASE } from './database-of-cluster.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { hasCode } from './errors.ts';
import { readLockFile } from './leftover.ts';
import { majorsIn } from './upgrade-check.ts';

export interface PostgresAccess {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Gives admin commands access to the embedded database: through the server of the running chat, or one started for
 * them.
 * @throws DatabaseStartError if there is none yet, unless it may be created.
 */
export async function accessEmbeddedPostgres(
  folder: string,
  { create }: { readonly create: boolean },
): Promise<PostgresAccess> {
  if (!create && !(await hasData(folder)))
    throw new DatabaseStartError(
      `there is no database in ${folder}: is DATA_DIR right, or DATABASE_URL missing? The first start of the chat makes one`,
      { code: 'no_database' },
    );
  try {
    return await startEmbeddedPostgres(folder);
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    const running = await runningServer(await realpath(folder));
    if (running === undefined) throw error;
    return running;
  }
}

async function hasData(folder: string): Promise<boolean> {
  try {
    return (await majorsIn(folder)).length > 0;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function runningServer(folder: string): Promise<PostgresAccess | undefined> {
  const password = await keptPassword(folder);
  if (password === undefined) return undefined;
  for (const name of (await readdir(folder)).filter((entry) => CLUSTER.test(entry))) {
    const data = join(folder, name);
    const said = await readLockFile(data);
    if (said?.ready !== true) continue;
    const address = await addressAt({ data, password }, said.port);
    return { url: address.url(DATABASE), stop: () => address.release() };
  }
  return undefined;
}
