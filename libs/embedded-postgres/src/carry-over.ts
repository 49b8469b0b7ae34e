import { access, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatabaseLog, DatabaseStartError, type MigrationConnection } from '@chat-realtime/database';
import { copyIntoPlace, rowsCopied } from './copy-into-place.ts';
import { hasCode } from './errors.ts';

/** Where version 0.1.0 kept its database, and where that lies once it was carried over. */
const OLD = 'pgdata';
const UNFINISHED = 'pgdata.unfinished';
export const CARRIED_OVER = 'pgdata-of-0.1.0';

/**
 * Brings over the database of version 0.1.0 (PGlite), whose folder PostgreSQL cannot read: once, all or nothing. The old
 * folder is kept under another name. To be taken out with the release after the next, together with the package.
 * @throws DatabaseStartError when it cannot; then nothing has changed.
 */
export async function carryOver(
  folder: string,
  url: (database: string) => string,
  logger: DatabaseLog | undefined,
): Promise<void> {
  const old = join(folder, OLD);
  // A first start that was cut short left nothing worth keeping.
  if (!(await exists(join(old, 'PG_VERSION'))) || (await exists(join(folder, UNFINISHED)))) return;
  logger?.warn({ from: old }, 'the database of version 0.1.0 is carried over');
  const rows = await copyIntoPlace(url, old, (to) => copyInto(old, to));
  await rename(old, join(folder, CARRIED_OVER));
  logger?.warn({ rows, kept: join(folder, CARRIED_OVER) }, 'the database of version 0.1.0 was carried over');
}

async function copyInto(old: string, to: MigrationConnection): Promise<number> {
  const { PGlite } = await loadPglite(old);
  const source = await PGlite.create({ dataDir: old });
  try {
    const from: MigrationConnection = {
      execute: async (text) => void (await source.exec(text)),
      query: async <R>(text: string, values: readonly unknown[]) => (await source.query<R>(text, [...values])).rows,
    };
    return await rowsCopied(from, to);
  } finally {
    await source.close();
  }
}

async function loadPglite(old: string): Promise<typeof import('@electric-sql/pglite')> {
  try {
    return await import('@electric-sql/pglite');
  } catch (error) {
    if (!hasCode(error, 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new DatabaseStartError(
      `${old} is the database of version 0.1.0; carrying it over needs the package @electric-sql/pglite, which is not installed: install without --omit=optional`,
      { cause: error },
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
