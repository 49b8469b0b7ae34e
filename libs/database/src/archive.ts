import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { migrate, readMigrations, schemaFingerprint } from './migrate.ts';

/** Beside `src` and `dist`; made at build time, not kept in the repository. */
const FOLDER = new URL('../prepared/', import.meta.url);

async function pgliteVersion(): Promise<string> {
  // Its package.json is not exported; it lies above the file that is.
  const entry = pathToFileURL(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
  const manifest: unknown = JSON.parse(await readFile(new URL('../package.json', entry), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  if (typeof version !== 'string') throw new Error('the package of PGlite names no version');
  return version;
}

async function archiveFile(): Promise<URL> {
  const version = await pgliteVersion();
  return new URL(`pglite-${version}-${schemaFingerprint(await readMigrations())}.tar.gz`, FOLDER);
}

async function read(file: URL): Promise<Blob | undefined> {
  try {
    return new Blob([await readFile(file)], { type: 'application/x-gzip' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The data folder of an empty database with exactly this version's schema; undefined where none was prepared. */
export async function readArchive(): Promise<Blob | undefined> {
  return read(await archiveFile());
}

/** Makes the archive unless it is there. It has no epoch: each database that starts from it takes its own. */
export async function prepareArchive(): Promise<void> {
  const file = await archiveFile();
  if ((await read(file)) !== undefined) return;
  const pglite = await PGlite.create();
  await migrate(
    {
      execute: async (text) => {
        await pglite.exec(text);
      },
      query: async <R>(text: string, values: readonly unknown[]) => (await pglite.query<R>(text, [...values])).rows,
    },
    await readMigrations(),
  );
  const archive = await pglite.dumpDataDir('gzip');
  await pglite.close();
  await mkdir(FOLDER, { recursive: true });
  // Whole or not at all, also when several make it at once.
  const draft = new URL(`${file.href}.${process.pid}`);
  await writeFile(draft, Buffer.from(await archive.arrayBuffer()));
  await rename(draft, file);
}
