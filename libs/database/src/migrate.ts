import { setTimeout as sleep } from 'node:timers/promises';
import { runIndexStatement } from './concurrent-index.ts';
import { isHeldUp } from './held-up.ts';
import { headerOf, type Migration, type MigrationConnection } from './migration.ts';
import { type AppliedMigration, compareSchema, type SchemaAge } from './schema-age.ts';
import { type DatabaseLog, DatabaseStartError } from './types.ts';

export {
  type Migration,
  type MigrationConnection,
  type MigrationHeader,
  readMigrations,
  schemaFingerprint,
} from './migration.ts';

/**
 * Brings the schema up to date: each file in one transaction with its row in the journal, or, if it says `transaction:
 * none`, an index built beside the traffic. The caller holds a lock, so that two processes starting together do not run
 * the same file.
 * @throws DatabaseStartError if a file that has run was changed afterwards, or this program must not run on a database
 * that a newer one has migrated.
 */
export async function migrate(
  connection: MigrationConnection,
  migrations: readonly Migration[],
  log?: DatabaseLog,
): Promise<string[]> {
  await prepareJournal(connection, log);
  const { pending, newer } = compareSchema(await readJournal(connection), migrations);
  if (newer.length > 0)
    log?.info({ migrations: newer }, 'the database schema is newer, and compatible with this version');
  for (const migration of pending) {
    if (headerOf(migration).outsideTransaction)
      log?.info(
        { migration: migration.name },
        'an index is being built or dropped concurrently; this may take minutes',
      );
    await whenFree(migration.name, log, () => applyOne(connection, migration));
  }
  return pending.map(({ name }) => name);
}

/** What `migrate` would do now, without doing anything. */
export async function schemaAge(connection: MigrationConnection, migrations: readonly Migration[]): Promise<SchemaAge> {
  const [there] = await connection.query<{ yes: boolean }>(
    `SELECT to_regclass('schema_migration') IS NOT NULL AS yes`,
    [],
  );
  return compareSchema(there?.yes === true ? await readJournal(connection) : [], migrations);
}

/**
 * For callers that must not change the schema: it must be the one of this version, or a newer one that is compatible.
 * @throws DatabaseStartError if it is not. The text says what to do.
 */
export async function requireSchema(connection: MigrationConnection, migrations: readonly Migration[]): Promise<void> {
  const { pending } = await schemaAge(connection, migrations);
  if (pending.length === 0) return;
  if (pending.length === migrations.length)
    throw new DatabaseStartError(
      'this database has no tables of the chat: is it the right one? The first start of the chat creates them, or the command "migrate"',
      { code: 'schema_missing' },
    );
  throw new DatabaseStartError(
    `the database schema is out of date and lacks ${pending.map(({ name }) => name).join(', ')}; nothing was changed. Use the program of the version that is running, or update the schema first with the command "migrate"`,
    { code: 'schema_too_old' },
  );
}

/** Also for a version whose journal has no `lives_with`. */
function readJournal(connection: MigrationConnection): Promise<AppliedMigration[]> {
  return connection.query<AppliedMigration>(
    `SELECT name, checksum, to_jsonb(m) ->> 'lives_with' AS lives_with FROM schema_migration m`,
    [],
  );
}

/**
 * Journals of older versions have no `lives_with`. Checked first, because the change needs an exclusive lock on the
 * table, which a running dump would block.
 */
async function prepareJournal(connection: MigrationConnection, log: DatabaseLog | undefined): Promise<void> {
  await connection.execute(
    `CREATE TABLE IF NOT EXISTS schema_migration (
       name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), lives_with text)`,
  );
  const column = await connection.query(
    `SELECT 1 FROM pg_attribute WHERE attrelid = 'schema_migration'::regclass AND attname = 'lives_with' AND NOT attisdropped`,
    [],
  );
  if (column.length > 0) return;
  await whenFree('of the journal', log, () =>
    inTransaction(connection, () =>
      connection.execute('ALTER TABLE schema_migration ADD COLUMN IF NOT EXISTS lives_with text'),
    ),
  );
}

/**
 * A migration that waits for a table blocks all later queries, including reads. So it never waits for long at a time.
 */
const LOCK_TIMEOUT_MS = 1_000;
const RETRY_MS = 2_000;
const PATIENCE_MS = 300_000;
const TELL_EVERY = 5;

async function whenFree(name: string, log: DatabaseLog | undefined, apply: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let tries = 0; ; tries += 1) {
    try {
      await apply();
      return;
    } catch (error) {
      if (error instanceof DatabaseStartError) throw error;
      if (!isHeldUp(error))
        throw new DatabaseStartError(
          `migration ${name} failed: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error, code: 'migration_failed' },
        );
      if (performance.now() > deadline)
        throw new DatabaseStartError(
          `migration ${name} found no moment in which nobody uses its tables; end the long transactions (pg_stat_activity) and start again`,
          { cause: error, code: 'migration_held_up' },
        );
      if (tries % TELL_EVERY === 0)
        log?.warn({ migration: name }, 'a migration waits for a long transaction to end; the others go on');
    }
    await sleep(RETRY_MS * (0.5 + Math.random() / 2));
  }
}

async function applyOne(connection: MigrationConnection, migration: Migration): Promise<void> {
  const { livesWith, outsideTransaction } = headerOf(migration);
  const note = async (): Promise<void> => {
    await connection.query('INSERT INTO schema_migration (name, checksum, lives_with) VALUES ($1, $2, $3)', [
      migration.name,
      migration.checksum,
      livesWith,
    ]);
  };
  if (outsideTransaction) {
    await runIndexStatement(connection, migration);
    await note();
    return;
  }
  await inTransaction(connection, async () => {
    await connection.execute(migration.sql);
    await note();
  });
}

async function inTransaction(connection: MigrationConnection, work: () => Promise<void>): Promise<void> {
  await connection.execute('BEGIN');
  try {
    await connection.execute(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await work();
    await connection.execute('COMMIT');
  } catch (error) {
    // A connection that broke in the middle of the work cannot roll back either, and the first error names the cause.
    await connection.execute('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
