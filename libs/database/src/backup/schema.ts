import { type Migration, type MigrationConnection, readMigrations } from '../migrate.ts';

/** Said anew by every gateway within seconds; the journal is written by the migrations themselves. */
const LEFT_OUT = new Set(['operator_presence', 'schema_migration']);

/** Tables the migrations make: others in the same database are a site's, and none of our business. */
function madeBy(migrations: readonly Migration[]): string[] {
  const names = migrations.flatMap(({ sql }) =>
    [...sql.matchAll(/^\s*CREATE TABLE (?:IF NOT EXISTS )?(\w+)/gim)].map(([, name = '']) => name),
  );
  return names.filter((name) => !LEFT_OUT.has(name));
}

export interface Column {
  readonly name: string;
  readonly type: string;
}
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
}

/** Our tables as they are in this database, each behind those it refers to. Names are ours and need no quotes. */
export async function ourTables(connection: MigrationConnection): Promise<Table[]> {
  const rows = await connection.query<{ table: string; column: string; type: string }>(
    `SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname = ANY($1::text[])
        AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      ORDER BY c.relname, a.attnum`,
    [madeBy(await readMigrations())],
  );
  const tables = new Map<string, Column[]>();
  for (const { table, column, type } of rows) {
    const columns = tables.get(table) ?? [];
    columns.push({ name: column, type });
    tables.set(table, columns);
  }
  const references = await connection.query<{ from: string; to: string }>(
    `SELECT s.relname AS from, t.relname AS to FROM pg_constraint k
       JOIN pg_class s ON s.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid WHERE k.contype = 'f'`,
    [],
  );
  return inOrder([...tables.keys()], references).map((name) => ({ name, columns: tables.get(name) ?? [] }));
}

function inOrder(names: readonly string[], references: readonly { from: string; to: string }[]): string[] {
  const placed = new Set<string>();
  const place = (name: string, above: readonly string[]): void => {
    if (placed.has(name) || above.includes(name)) return;
    for (const { from, to } of references) if (from === name && names.includes(to)) place(to, [...above, name]);
    placed.add(name);
  };
  for (const name of names) place(name, []);
  return [...placed];
}

export interface JournalRow {
  readonly name: string;
  readonly checksum: string;
}

/** Which migrations this database has run; undefined for a database that was never ours. */
export async function journalOf(connection: MigrationConnection): Promise<JournalRow[] | undefined> {
  const [there] = await connection.query<{ yes: boolean }>(
    `SELECT to_regclass('public.schema_migration') IS NOT NULL AS yes`,
    [],
  );
  if (there?.yes !== true) return undefined;
  return connection.query<JournalRow>('SELECT name, checksum FROM schema_migration ORDER BY name', []);
}

/** Sequences of our tables by name, with the value each gave last. */
export function sequencesOf(connection: MigrationConnection): Promise<{ name: string; last: string }[]> {
  return connection.query<{ name: string; last: string }>(
    `SELECT sequencename AS name, last_value::text AS last FROM pg_sequences
      WHERE schemaname = 'public' AND last_value IS NOT NULL`,
    [],
  );
}
