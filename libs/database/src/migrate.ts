import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DatabaseLog, DatabaseStartError } from './types.ts';

/** Runs SQL on one connection: text with several statements, or one statement with values. */
export interface MigrationConnection {
  execute(text: string): Promise<void>;
  query<R>(text: string, values: readonly unknown[]): Promise<R[]>;
}

export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** Beside both `src` and `dist`, so that sources and the build read the same files. */
const FOLDER = new URL('../migrations/', import.meta.url);
const FILE_NAME = /^\d{4}_[a-z0-9_]+\.sql$/;

export async function readMigrations(): Promise<Migration[]> {
  const files = (await readdir(FOLDER)).filter((file) => FILE_NAME.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(new URL(file, FOLDER), 'utf8');
      const checksum = createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
      return { name: file.slice(0, -'.sql'.length), sql, checksum };
    }),
  );
}

/** Names the state of the schema: the same for every database that has run these migrations. */
export function schemaFingerprint(migrations: readonly Migration[]): string {
  const hash = createHash('sha256');
  for (const migration of migrations) hash.update(`${migration.name}:${migration.checksum}\n`);
  return hash.digest('hex').slice(0, 16);
}

/**
 * Brings the schema up to date, each file in one transaction with its row in the journal. The caller holds a lock, so
 * that two processes starting together do not run the same file.
 * @throws DatabaseStartError when a file that has run was changed afterwards, or the database is newer than this program.
 */
export async function migrate(
  connection: MigrationConnection,
  migrations: readonly Migration[],
  log?: DatabaseLog,
): Promise<string[]> {
  await connection.execute(
    'CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  );
  const rows = await connection.query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM schema_migration',
    [],
  );
  const applied = new Map(rows.map((row) => [row.name, row.checksum]));
  const known = new Set(migrations.map((migration) => migration.name));
  const foreign = [...applied.keys()].filter((name) => !known.has(name));
  if (foreign.length > 0) {
    throw new DatabaseStartError(
      `the database has migrations this version does not know: ${foreign.join(', ')}; start a newer version`,
    );
  }
  const done: string[] = [];
  for (const migration of migrations) {
    const checksum = applied.get(migration.name);
    if (checksum === migration.checksum) continue;
    if (checksum !== undefined) {
      throw new DatabaseStartError(
        `migration ${migration.name} was changed after it had run on this database; restore the file and add a new one`,
      );
    }
    await applyWhenFree(connection, migration, log);
    done.push(migration.name);
  }
  return done;
}

/** Who waits for a table keeps everybody who comes later from it, readers too: so never for long at a time. */
const LOCK_TIMEOUT_MS = 1_000;
const RETRY_MS = 2_000;
const RETRIES = 150;
const LOCK_NOT_AVAILABLE = '55P03';

function isLocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;
}

async function applyWhenFree(
  connection: MigrationConnection,
  migration: Migration,
  log: DatabaseLog | undefined,
): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await applyOne(connection, migration);
      return;
    } catch (error) {
      if (!isLocked(error)) throw error;
      if (tries >= RETRIES)
        throw new DatabaseStartError(
          `migration ${migration.name} found no moment in which nobody uses its tables; end the long transactions (pg_stat_activity) and start again`,
          { cause: error },
        );
      if (tries % 5 === 0)
        log?.warn({ migration: migration.name }, 'a migration waits for a long transaction to end; the others go on');
    }
    await sleep(RETRY_MS * (0.5 + Math.random() / 2));
  }
}

async function applyOne(connection: MigrationConnection, migration: Migration): Promise<void> {
  await connection.execute('BEGIN');
  try {
    await connection.execute(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await connection.execute(migration.sql);
    await connection.query('INSERT INTO schema_migration (name, checksum) VALUES ($1, $2)', [
      migration.name,
      migration.checksum,
    ]);
    await connection.execute('COMMIT');
  } catch (error) {
    await connection.execute('ROLLBACK');
    if (isLocked(error)) throw error;
    throw new DatabaseStartError(
      `migration ${migration.name} failed: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
