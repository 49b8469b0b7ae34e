import type { Migration, MigrationConnection } from './migration.ts';
import { DatabaseStartError } from './types.ts';

/** The one statement of a migration that runs outside a transaction. */
export interface IndexStatement {
  readonly does: 'create' | 'drop';
  readonly index: string;
  /** Undefined for a drop. */
  readonly table?: string;
  readonly text: string;
}

/**
 * Long, because a build that waits for old transactions blocks neither readers nor writers, and starts from nothing
 * each time it gives up. Not forever, because it holds off VACUUM and every other change of the table.
 */
export const BUILD_LOCK_TIMEOUT_MS = 30_000;

const CREATE = /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(\w+)\s+ON\s+(\w+)\b[^;]*$/i;
const DROP = /^DROP\s+INDEX\s+CONCURRENTLY\s+(?:IF\s+EXISTS\s+)?(\w+)$/i;

export function withoutComments(sql: string): string {
  return sql.replace(/--[^\n]*/g, '').replace(/\/\*[\s\S]*?\*\//g, '');
}

/** @throws DatabaseStartError when the text is anything else than one index built or dropped beside the traffic. */
export function parseIndexStatement({ name, sql }: Pick<Migration, 'name' | 'sql'>): IndexStatement {
  const text = withoutComments(sql).trim().replace(/;$/, '').trim();
  const create = CREATE.exec(text);
  if (create !== null) return { does: 'create', index: create[1] ?? '', table: create[2] ?? '', text };
  const drop = DROP.exec(text);
  if (drop !== null) return { does: 'drop', index: drop[1] ?? '', text };
  throw new DatabaseStartError(
    `migration ${name} says "transaction: none", so it must be one statement: CREATE INDEX CONCURRENTLY <name> ON <table> … or DROP INDEX CONCURRENTLY [IF EXISTS] <name>`,
    { code: 'migration_malformed' },
  );
}

interface FoundIndex {
  readonly table: string;
  readonly valid: boolean;
}

async function findIndex(connection: MigrationConnection, name: string): Promise<FoundIndex | undefined> {
  const [row] = await connection.query<FoundIndex>(
    `SELECT t.relname AS table, i.indisvalid AND i.indisready AS valid
       FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
      WHERE x.oid = to_regclass(quote_ident($1))`,
    [name],
  );
  return row;
}

/**
 * Builds or drops the index, and may be called again after any break: what a broken-off build left behind answers no
 * query and slows every write, so it is dropped and built again. The caller retries when a lock was not to be had.
 */
export async function runIndexStatement(connection: MigrationConnection, migration: Migration): Promise<void> {
  const { does, index, table, text } = parseIndexStatement(migration);
  await connection.execute(`SET lock_timeout = ${BUILD_LOCK_TIMEOUT_MS}`);
  try {
    const found = await findIndex(connection, index);
    if (does === 'drop') {
      if (found !== undefined) await connection.execute(text);
      return;
    }
    if (found !== undefined && found.table !== table)
      throw new DatabaseStartError(
        `migration ${migration.name} wants to build the index ${index} on ${table}, and ${found.table} has one of that name: rename it and start again`,
        { code: 'migration_failed' },
      );
    // Built to its end by a start that then broke off, or by hand before the update.
    if (found?.valid === true) return;
    if (found !== undefined) await connection.execute(`DROP INDEX CONCURRENTLY ${index}`);
    await connection.execute(text);
  } finally {
    await connection.execute('SET lock_timeout = 0');
  }
}
