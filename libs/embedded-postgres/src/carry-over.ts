import { access, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { copyDatabase, type DatabaseLog, DatabaseStartError, type MigrationConnection } from '@chat-realtime/database';
import pg from 'pg';
import { connect, createDatabase, DATABASE } from './database-of-cluster.ts';
import { hasCode } from './errors.ts';

/** Where version 0.1.0 kept its database, and where that lies once it was carried over. */
const OLD = 'pgdata';
const UNFINISHED = 'pgdata.unfinished';
export const CARRIED_OVER = 'pgdata-of-0.1.0';
/** Takes the place of the real one when it is whole. */
const DRAFT = 'chat_carried_over';

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
  await refuseIfFilled(url(DATABASE), old);
  logger?.warn({ from: old }, 'the database of version 0.1.0 is carried over');
  const admin = await connect(url('postgres'));
  try {
    await drop(admin, DRAFT);
    await createDatabase(admin, DRAFT);
    const rows = await copyInto(old, url(DRAFT));
    await drop(admin, DATABASE);
    await admin.query(`ALTER DATABASE ${pg.escapeIdentifier(DRAFT)} RENAME TO ${pg.escapeIdentifier(DATABASE)}`);
    await rename(old, join(folder, CARRIED_OVER));
    logger?.warn({ rows, kept: join(folder, CARRIED_OVER) }, 'the database of version 0.1.0 was carried over');
  } finally {
    await admin.end();
  }
}

async function refuseIfFilled(url: string, old: string): Promise<void> {
  const client = await connect(url);
  try {
    const { rows } = await client.query<{ there: boolean }>(
      `SELECT to_regclass('public.schema_migration') IS NOT NULL AS there`,
    );
    if (rows[0]?.there === true)
      throw new DatabaseStartError(
        `${old} is the database of version 0.1.0, and there is a newer one beside it: move the one you do not need away`,
      );
  } finally {
    await client.end();
  }
}

async function drop(admin: pg.Client, name: string): Promise<void> {
  await admin.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)}`);
}

async function copyInto(old: string, url: string): Promise<number> {
  const { PGlite } = await loadPglite(old);
  const source = await PGlite.create({ dataDir: old });
  try {
    const client = await connect(url);
    try {
      const from: MigrationConnection = {
        execute: async (text) => void (await source.exec(text)),
        query: async <R>(text: string, values: readonly unknown[]) => (await source.query<R>(text, [...values])).rows,
      };
      const to: MigrationConnection = {
        execute: async (text) => void (await client.query(text)),
        query: async <R>(text: string, values: readonly unknown[]) =>
          (await client.query(text, [...values])).rows as R[],
      };
      return [...(await copyDatabase(from, to)).values()].reduce((sum, rows) => sum + rows, 0);
    } finally {
      await client.end();
    }
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
