import { migrate, type MigrationConnection, readMigrations } from './migrate.ts';
import { DatabaseStartError } from './types.ts';

const ROWS_AT_ONCE = 100;
const JOURNAL = 'schema_migration';

interface Column {
  readonly name: string;
  readonly type: string;
}

interface Table {
  /** Quoted. */
  readonly name: string;
  readonly columns: readonly Column[];
}

/**
 * Copies a whole database into an empty one of another server, using only the two servers: for a new major version,
 * whose data folder differs, and for engines whose folders no server reads. The target gets the source's schema, not a
 * newer one; opening it migrates it.
 * @returns how many rows of which table were copied.
 * @throws DatabaseStartError when the source is newer than this program, or its migrations were changed.
 */
export async function copyDatabase(
  source: MigrationConnection,
  target: MigrationConnection,
): Promise<Map<string, number>> {
  await migrate(target, await migrationsOf(source));
  const tables = await readTables(source);
  const copied = new Map<string, number>();
  await source.execute('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await target.execute('BEGIN');
  // Neither triggers nor foreign keys: the rows are whole already, in whatever order they come.
  await target.execute('SET LOCAL session_replication_role = replica');
  if (tables.length > 0) await target.execute(`TRUNCATE ${tables.map(({ name }) => name).join(', ')}`);
  for (const table of tables) copied.set(table.name, await copyTable(source, target, table));
  await copySequences(source, target);
  await source.execute('COMMIT');
  await compare(target, copied);
  await target.execute('COMMIT');
  return copied;
}

async function migrationsOf(source: MigrationConnection): ReturnType<typeof readMigrations> {
  const rows = await source.query<{ name: string; checksum: string }>(`SELECT name, checksum FROM ${JOURNAL}`, []);
  const known = await readMigrations();
  const strange = rows.filter(
    (row) => !known.some(({ name, checksum }) => name === row.name && checksum === row.checksum),
  );
  if (strange.length > 0)
    throw new DatabaseStartError(
      `the database to be copied has migrations that are unknown here or were changed: ${strange.map(({ name }) => name).join(', ')}`,
    );
  const ran = new Set(rows.map(({ name }) => name));
  return known.filter(({ name }) => ran.has(name));
}

async function readTables(source: MigrationConnection): Promise<Table[]> {
  const rows = await source.query<{ table_name: string; column_name: string; type: string }>(
    `SELECT quote_ident(c.relname) AS table_name, quote_ident(a.attname) AS column_name,
            format_type(a.atttypid, a.atttypmod) AS type
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> $1
        AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      ORDER BY c.relname, a.attnum`,
    [JOURNAL],
  );
  const columns = new Map<string, Column[]>();
  for (const row of rows) {
    const list = columns.get(row.table_name) ?? [];
    list.push({ name: row.column_name, type: row.type });
    columns.set(row.table_name, list);
  }
  return [...columns].map(([name, list]) => ({ name, columns: list }));
}

/** As text both ways, which every type has without loss, null apart from a JSON null. */
async function copyTable(source: MigrationConnection, target: MigrationConnection, table: Table): Promise<number> {
  const texts = table.columns.map(({ name }) => `${name}::text`).join(', ');
  const values = table.columns.map(({ type }, index) => `(r ->> ${index})::${type}`).join(', ');
  const names = table.columns.map(({ name }) => name).join(', ');
  const insert = `INSERT INTO ${table.name} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM json_array_elements($1::json) AS r`;
  await source.execute(
    `DECLARE copy_rows NO SCROLL CURSOR FOR SELECT json_build_array(${texts})::text AS row FROM ${table.name}`,
  );
  let count = 0;
  for (;;) {
    const rows = await source.query<{ row: string }>(`FETCH ${ROWS_AT_ONCE} FROM copy_rows`, []);
    if (rows.length === 0) break;
    await target.query(insert, [`[${rows.map(({ row }) => row).join(',')}]`]);
    count += rows.length;
  }
  await source.execute('CLOSE copy_rows');
  return count;
}

async function copySequences(source: MigrationConnection, target: MigrationConnection): Promise<void> {
  const sequences = await source.query<{ name: string; last: string | null }>(
    `SELECT quote_ident(sequencename) AS name, last_value::text AS last FROM pg_sequences WHERE schemaname = 'public'`,
    [],
  );
  for (const { name, last } of sequences)
    if (last !== null) await target.query('SELECT setval($1::regclass, $2::bigint)', [name, last]);
}

async function compare(target: MigrationConnection, copied: ReadonlyMap<string, number>): Promise<void> {
  for (const [name, expected] of copied) {
    const [row] = await target.query<{ n: string }>(`SELECT count(*)::text AS n FROM ${name}`, []);
    if (Number(row?.n) !== expected)
      throw new DatabaseStartError(`of ${expected} rows of ${name} ${row?.n} arrived; nothing was changed`);
  }
}
