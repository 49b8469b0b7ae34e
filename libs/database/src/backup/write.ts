import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { PlainConnection } from './connection.ts';
import { BACKUP_FILE, BackupError, newHeader } from './format.ts';
import { readMigrations } from '../migrate.ts';
import { journalOf, ourTables, sequencesOf, type Table } from './schema.ts';

const ROWS_AT_ONCE = 500;

export interface WrittenBackup {
  readonly path: string;
  readonly created_at: string;
  readonly epoch: string | null;
  readonly rows: Readonly<Record<string, number>>;
  /** Of our own attachments: what their files are called. */
  readonly files: readonly string[];
}

/**
 * Writes the whole database as it is at one moment into `<folder>/database.ndjson.gz`, while it serves. The file appears
 * under its name when it is whole and on the disk. A few hundred rows are in memory at a time. The schema may be of an
 * earlier version: the backup is of that one, and the way back to it.
 * @throws BackupError for a database that is not ours, or of a newer version.
 */
export async function writeBackup(
  connection: PlainConnection,
  folder: string,
  progress: (line: string) => void,
): Promise<WrittenBackup> {
  const journal = await journalOf(connection);
  if (journal === undefined) throw new BackupError('this database has none of our tables: nothing to back up');
  const known = new Set((await readMigrations()).map(({ name }) => name));
  // A newer version may have run beside this one, and its tables would be missing without a word.
  if (journal.some(({ name }) => !known.has(name)))
    throw new BackupError('the database is of a newer version than this program: back it up with that version');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, BACKUP_FILE);
  const unfinished = `${path}.unfinished`;
  const rows: Record<string, number> = {};
  await connection.execute('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    const header = newHeader(await epochIn(connection), journal);
    const tables = await ourTables(connection);
    const sequences = await sequencesOf(connection);
    async function* lines(): AsyncGenerator<string> {
      yield `${JSON.stringify(header)}\n`;
      for (const table of tables) {
        progress(`  ${table.name} …`);
        yield `${JSON.stringify({ table: table.name, columns: table.columns })}\n`;
        rows[table.name] = 0;
        for await (const page of pagesOf(connection, table)) {
          rows[table.name] = (rows[table.name] ?? 0) + page.length;
          yield page.map((row) => `${row}\n`).join('');
        }
      }
      for (const { name, last } of sequences) yield `${JSON.stringify({ sequence: name, last })}\n`;
      yield `${JSON.stringify({ end: rows })}\n`;
    }
    await pipeline(Readable.from(lines()), createGzip(), createWriteStream(unfinished, { mode: 0o600, flush: true }));
    const files = await connection.query<{ key: string }>(
      // Version 0.1.0 erased none and had no column for it.
      `SELECT storage_key AS key FROM chat_attachment a WHERE to_jsonb(a) ->> 'erased_at' IS NULL ORDER BY 1`,
      [],
    );
    await connection.execute('COMMIT');
    await rename(unfinished, path);
    await syncFolder(dirname(path));
    return { path, created_at: header.created_at, epoch: header.epoch, rows, files: files.map(({ key }) => key) };
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** Version 0.1.0 represented it differently. */
async function epochIn(connection: PlainConnection): Promise<string | null> {
  const [told] = await connection.query<{ yes: boolean }>(
    `SELECT to_regprocedure('chat_epoch()') IS NOT NULL AS yes`,
    [],
  );
  if (told?.yes !== true) return null;
  const [found] = await connection.query<{ epoch: string | null }>('SELECT chat_epoch() AS epoch', []);
  return found?.epoch ?? null;
}

/** As text, which every type has without loss. */
async function* pagesOf(connection: PlainConnection, { name, columns }: Table): AsyncGenerator<string[]> {
  const texts = columns.map((column) => `${column.name}::text`).join(', ');
  await connection.execute(
    `DECLARE backup_rows NO SCROLL CURSOR FOR SELECT json_build_array(${texts})::text AS row FROM ${name}`,
  );
  for (;;) {
    const page = await connection.query<{ row: string }>(`FETCH ${ROWS_AT_ONCE} FROM backup_rows`, []);
    if (page.length === 0) break;
    yield page.map(({ row }) => row);
  }
  await connection.execute('CLOSE backup_rows');
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
