import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SETTLE } from '../epoch.ts';
import { isHeldUp } from '../held-up.ts';
import { migrate, readMigrations } from '../migrate.ts';
import type { PlainConnection } from './connection.ts';
import { BACKUP_FILE, BackupError, type BackupHeader, type BackupLine, readBackup } from './format.ts';
import { giveBackWhatHolds, keepWhatHolds, type Kept } from './kept.ts';
import { journalOf, ourTables, type Table } from './schema.ts';

const ROWS_AT_ONCE = 500;
const BYTES_AT_ONCE = 1_048_576;
/**
 * If nothing is left of the previous database, the ids it issued after the backup are unknown. A token of such a
 * session must fit no later session, so numbering continues far beyond.
 */
const UNKNOWN_IDS = 100_000;
const LOCK_TIMEOUT_MS = 30_000;
const LOCKED_WITHIN_MS = 60_000;
const LOCK_PAUSE_MS = 100;

export interface RestoredBackup extends Kept {
  readonly made_at: string;
  readonly previous_epoch: string | null;
  readonly epoch: string | null;
  readonly rows: Readonly<Record<string, number>>;
}

/** Reads all of it, so that a damaged one is refused before anything is touched. */
export async function checkBackup(folder: string): Promise<BackupHeader> {
  let header: BackupHeader | undefined;
  const counted: Record<string, number> = {};
  let table = '';
  for await (const line of readBackup(join(folder, BACKUP_FILE))) {
    if ('format' in line) header = line;
    else if (line.kind === 'table') {
      table = line.table;
      counted[table] = 0;
    } else if (line.kind === 'row') counted[table] = (counted[table] ?? 0) + 1;
    else if (line.kind === 'end')
      for (const [name, rows] of Object.entries(line.rows))
        if (counted[name] !== rows)
          throw new BackupError(`of ${rows} rows of ${name} the backup has ${counted[name] ?? 0}: it is damaged`);
  }
  if (header === undefined) throw new BackupError('the backup is empty');
  return header;
}

/**
 * Restores a backup in one transaction: readers wait meanwhile and see all of it or nothing. The database has a new
 * epoch afterwards, so every client takes a snapshot. Services may keep running, and answer 503 meanwhile.
 * @throws BackupError if the backup does not fit; then nothing was changed.
 */
export async function restoreBackup(
  connection: PlainConnection,
  folder: string,
  progress: (line: string) => void,
): Promise<RestoredBackup> {
  const header = await checkBackup(folder);
  const known = await readMigrations();
  const ran = known.filter(({ name, checksum }) =>
    header.migrations.some((row) => row.name === name && row.checksum === checksum),
  );
  if (ran.length < header.migrations.length)
    throw new BackupError('the backup is of a newer version than this program: restore it with that version');
  const journal = await journalOf(connection);
  const fresh = journal === undefined;
  if (fresh) {
    progress('making the tables as they were when the backup was made …');
    await migrate(connection, ran);
  } else if (journal.map(({ name }) => name).join() !== ran.map(({ name }) => name).join())
    throw new BackupError(
      'the backup is of an earlier version than this database: restore it into an empty database, whose schema is then brought up to date, and give the services that one',
    );
  const restored = await replaceRows(connection, folder, header, fresh, progress);
  if (fresh) await migrate(connection, known);
  return restored;
}

async function replaceRows(
  connection: PlainConnection,
  folder: string,
  header: BackupHeader,
  fresh: boolean,
  progress: (line: string) => void,
): Promise<RestoredBackup> {
  const epochOf = async (): Promise<string | null> =>
    (await connection.query<{ epoch: string | null }>('SELECT chat_epoch() AS epoch', []))[0]?.epoch ?? null;
  const previous = fresh ? null : await epochOf();
  const tables = new Map((await ourTables(connection)).map((table) => [table.name, table]));
  const names = [...tables.keys()];
  await beginWithAllLocked(connection, names, progress);
  try {
    if (!fresh) await keepWhatHolds(connection);
    await connection.execute(`TRUNCATE ${names.join(', ')}`);
    for (const name of names) await connection.execute(`ALTER TABLE ${name} DISABLE TRIGGER USER`);
    const rows = await load(connection, folder, tables, fresh, progress);
    for (const name of names) await connection.execute(`ALTER TABLE ${name} ENABLE TRIGGER USER`);
    if (fresh)
      await connection.query(
        `SELECT setval(format('public.%I', sequencename)::regclass, $1::bigint) FROM pg_sequences
          WHERE schemaname = 'public' AND last_value IS NULL`,
        [UNKNOWN_IDS],
      );
    const kept: Kept = fresh ? { revocations: 0, erasedSince: [] } : await giveBackWhatHolds(connection);
    await connection.query(
      `INSERT INTO chat_meta (name, value) VALUES ('epoch', $1) ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value`,
      [randomUUID()],
    );
    await connection.query(SETTLE.text, []);
    await connection.execute('COMMIT');
    // Version 0.1.0 represented the epoch differently; its function comes with the migrations that follow.
    const epoch = fresh ? null : await epochOf();
    return { made_at: header.created_at, previous_epoch: previous, epoch, rows, ...kept };
  } catch (error) {
    await connection.execute('ROLLBACK');
    throw error;
  }
}

/**
 * In a transaction that locks every table. Tables are locked one after the other, and requests lock theirs in other
 * orders, so that each may wait for the other: PostgreSQL then ends one of them, and it may be this one.
 */
async function beginWithAllLocked(
  connection: PlainConnection,
  names: readonly string[],
  progress: (line: string) => void,
): Promise<void> {
  const deadline = performance.now() + LOCKED_WITHIN_MS;
  for (;;) {
    await connection.execute('BEGIN');
    try {
      await connection.execute(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await connection.execute(`LOCK TABLE ${names.join(', ')} IN ACCESS EXCLUSIVE MODE`);
      return;
    } catch (error) {
      await connection.execute('ROLLBACK');
      if (!isHeldUp(error)) throw error;
      if (performance.now() > deadline)
        throw new BackupError('the tables are in use without a pause: stop the services, then restore');
    }
    progress('the tables are in use, trying again …');
    await sleep(LOCK_PAUSE_MS * (1 + Math.random()));
  }
}

async function load(
  connection: PlainConnection,
  folder: string,
  tables: ReadonlyMap<string, Table>,
  fresh: boolean,
  progress: (line: string) => void,
): Promise<Readonly<Record<string, number>>> {
  let insert = '';
  let page: string[] = [];
  let bytes = 0;
  let rows: Readonly<Record<string, number>> = {};
  const flush = async (): Promise<void> => {
    if (page.length > 0) await connection.query(insert, [`[${page.join(',')}]`]);
    page = [];
    bytes = 0;
  };
  const take = async (line: BackupLine): Promise<void> => {
    if (line.kind === 'row') {
      page.push(line.text);
      bytes += line.text.length;
      if (page.length >= ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE) await flush();
      return;
    }
    await flush();
    if (line.kind === 'table') {
      const table = tables.get(line.table);
      const strange = line.columns.find(({ name }) => !table?.columns.some((column) => column.name === name));
      if (table === undefined || strange !== undefined)
        throw new BackupError(`this database has no ${line.table}${strange === undefined ? '' : `.${strange.name}`}`);
      progress(`  ${line.table} …`);
      const names = line.columns.map(({ name }) => name).join(', ');
      // Types come from the table: nothing that the file says about itself becomes SQL.
      const types = new Map(table.columns.map(({ name, type }) => [name, type]));
      const values = line.columns.map(({ name }, index) => `(r ->> ${index})::${types.get(name)}`).join(', ');
      insert = `INSERT INTO ${line.table} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM json_array_elements($1::json) AS r`;
    } else if (line.kind === 'sequence') {
      const last = fresh
        ? '$2::bigint + $3::bigint'
        : 'GREATEST($2::bigint, $3::bigint, COALESCE((SELECT k.last FROM kept_sequence k WHERE k.name = $1), 0))';
      await connection.query(`SELECT setval(format('public.%I', $1::text)::regclass, ${last})`, [
        line.name,
        line.last,
        fresh ? UNKNOWN_IDS : 0,
      ]);
    } else rows = line.rows;
  };
  for await (const line of readBackup(join(folder, BACKUP_FILE))) if (!('format' in line)) await take(line);
  return rows;
}
