import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { FolderInUseError } from '@chat-realtime/database';
import { addressAt } from './address.ts';
import { CLUSTER, keptPassword } from './cluster.ts';
import { DATABASE } from './database-of-cluster.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { readLockFile } from './leftover.ts';

export interface ReachedPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

/** For work on the database beside the chat: through the server that the chat runs, else one started for it. */
export async function reachEmbeddedPostgres(folder: string): Promise<ReachedPostgres> {
  try {
    return await startEmbeddedPostgres(folder);
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    const running = await runningServer(await realpath(folder));
    if (running === undefined) throw error;
    return running;
  }
}

async function runningServer(folder: string): Promise<ReachedPostgres | undefined> {
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
