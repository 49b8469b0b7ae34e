import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect } from 'kysely';
import { readArchive } from './archive.ts';
import { establishEpoch } from './epoch.ts';
import { type FolderGuard, guardFolder } from './folder-guard.ts';
import { migrate, type MigrationConnection, readMigrations, requireSchema } from './migrate.ts';
import type { Tables } from './tables.ts';
import type { Database, DedicatedSession, OpenOptions, Statement } from './types.ts';

const INT8_OID = 20;
const PARSERS = { [INT8_OID]: Number };

function migrationConnection(pglite: PGlite): MigrationConnection {
  return {
    execute: async (text) => {
      await pglite.exec(text);
    },
    query: async <R>(text: string, values: readonly unknown[]) => (await pglite.query<R>(text, [...values])).rows,
  };
}

/** PGlite has one connection, on which every session lock is granted: the holders are recorded here instead. */
class EmbeddedSession implements DedicatedSession {
  readonly #pglite: PGlite;
  readonly #held: Map<number, EmbeddedSession>;

  constructor(pglite: PGlite, held: Map<number, EmbeddedSession>) {
    this.#pglite = pglite;
    this.#held = held;
  }

  async tryLock(key: number): Promise<boolean> {
    const holder = this.#held.get(key);
    if (holder !== undefined && holder !== this) return false;
    this.#held.set(key, this);
    return true;
  }

  async unlock(key: number): Promise<void> {
    if (this.#held.get(key) === this) this.#held.delete(key);
  }

  async query<R>(statement: Statement, values: readonly unknown[] = []): Promise<R[]> {
    return (await this.#pglite.query<R>(statement.text, [...values])).rows;
  }

  async ping(): Promise<void> {
    await this.#pglite.query('SELECT 1');
  }

  onLost(): void {
    // The connection is this process: it is not lost before the process is.
  }

  async listen(): Promise<void> {
    // Nobody but this process uses the database, and it needs no message to itself.
  }

  async release(): Promise<void> {
    for (const [key, holder] of this.#held) if (holder === this) this.#held.delete(key);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Exists from before a data folder is created until it is complete, so that an interrupted first start is repeated. */
function unfinishedMark(folder: string): string {
  return join(folder, 'pgdata.unfinished');
}

/** A new database starts from the prepared archive where there is one: a third of the time of making one. */
async function create(folder: string | undefined): Promise<PGlite> {
  if (folder === undefined) return createFresh({});
  const dataDir = join(folder, 'pgdata');
  const mark = unfinishedMark(folder);
  if (await exists(mark)) await rm(dataDir, { recursive: true, force: true });
  else if (await exists(dataDir)) return PGlite.create({ dataDir, parsers: PARSERS });
  await writeFile(mark, 'This database was not finished; the next start makes it anew.\n');
  return createFresh({ dataDir });
}

async function createFresh(options: { dataDir?: string }): Promise<PGlite> {
  const archive = await readArchive();
  return PGlite.create({ ...options, ...(archive === undefined ? {} : { loadDataDir: archive }), parsers: PARSERS });
}

/** `folder` undefined: in memory. */
export async function openPglite(folder: string | undefined, options: OpenOptions): Promise<Database> {
  const guard: FolderGuard | undefined = folder === undefined ? undefined : await guardFolder(folder);
  try {
    const pglite = await create(folder);
    const connection = migrationConnection(pglite);
    if (options.migrate === false) await requireSchema(connection, await readMigrations());
    else {
      const done = await migrate(connection, await readMigrations());
      if (done.length > 0) options.logger?.info({ migrations: done }, 'database schema brought up to date');
      await establishEpoch(connection);
    }
    if (folder !== undefined) await rm(unfinishedMark(folder), { force: true });
    const [version] = await connection.query<{ server_version: string }>('SHOW server_version', []);
    const held = new Map<number, EmbeddedSession>();
    const kysely = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
    return {
      kind: 'pglite',
      kysely,
      // PGlite never calls fsync, whatever its settings say: it survives a killed process, not a power cut.
      settings: { version: version?.server_version ?? 'unknown', synchronousCommit: 'on', fsync: 'off' },
      query: async <R>(statement: Statement, values: readonly unknown[] = []) =>
        (await pglite.query<R>(statement.text, [...values])).rows,
      acquireSession: async () => new EmbeddedSession(pglite, held),
      ping: async () => {
        await pglite.query('SELECT 1');
      },
      close: async () => {
        if (!pglite.closed) await pglite.close();
        await guard?.release();
      },
    };
  } catch (error) {
    await guard?.release();
    throw error;
  }
}
