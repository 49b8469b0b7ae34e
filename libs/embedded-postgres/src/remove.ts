import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CLUSTER, PASSWORD_FILE } from './cluster.ts';
import { endLeftover } from './leftover.ts';
import { COPY } from './programs.ts';

/** Deletes what `startEmbeddedPostgres` made in the folder, which the caller has reserved, and nothing else. */
export async function removeEmbeddedPostgres(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!CLUSTER.test(name) && !COPY.test(name) && !name.startsWith(PASSWORD_FILE)) continue;
    if (CLUSTER.test(name)) await endLeftover(join(folder, name));
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
