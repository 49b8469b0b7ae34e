import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, chown, type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseStartError } from '@chat-realtime/database';
import { hasCode, messageOf } from './errors.ts';
import type { Programs } from './programs.ts';
import type { ServiceUser } from './service-user.ts';
import { INITDB } from './settings.ts';

export const PASSWORD_FILE = 'postgres-password';

/** The data of one server on disk. */
export interface Cluster {
  readonly data: string;
  readonly password: string;
  /** How PostgreSQL is told where its data are. */
  readonly dataArgument: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A folder of data, also one that was not finished. The name holds the major version, since only that version reads it. */
export const CLUSTER = /^postgres-\d+(?:\.unfinished|\.before-upgrade)?(?:\.password)?$/;

export function clusterName(major: number): string {
  return `postgres-${major}`;
}

/**
 * With the folder as its working directory PostgreSQL needs to enter no folder above it: it serves data that lie under
 * /root as a user who may not go there, and nobody's permissions are changed for it.
 */
export function dataArgument(data: string, user: ServiceUser | undefined): string {
  return user === undefined ? data : '/proc/self/cwd';
}

export function programEnv(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TMPDIR } = process.env;
  return {
    PATH: PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(SystemRoot && { SystemRoot }),
    ...(TMPDIR && { TMPDIR }),
  };
}

/** Finds the data, or makes them: first under another name, so that a start that is cut short leaves none that are half. */
export async function provideCluster(
  folder: string,
  programs: Programs,
  user: ServiceUser | undefined,
): Promise<Cluster> {
  const data = join(folder, clusterName(programs.major));
  const argument = dataArgument(data, user);
  const env = programEnv();
  const kept = await keptPassword(folder);
  if (await exists(join(data, 'PG_VERSION'))) {
    await checkOwner(data, user);
    if (kept === undefined)
      throw new DatabaseStartError(
        `${join(folder, PASSWORD_FILE)} is missing, without which the database beside it does not open: bring it back from a copy`,
      );
    return { data, password: kept, dataArgument: argument, env };
  }
  const password = kept ?? (await makePassword(folder));
  const draft = `${data}.unfinished`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o700 });
    if (user !== undefined) await chown(draft, user.uid, user.gid);
    await initdb(draft, password, programs, user);
    await rename(draft, data);
    await syncFolder(folder);
  } catch (error) {
    throw new DatabaseStartError(`the embedded PostgreSQL could not make its data folder: ${messageOf(error)}`);
  }
  return { data, password, dataArgument: argument, env };
}

async function initdb(
  data: string,
  password: string,
  programs: Programs,
  user: ServiceUser | undefined,
): Promise<void> {
  // Beside the data, since initdb wants an empty folder for them; gone as soon as it has been read.
  const path = `${data}.password`;
  let file: FileHandle | undefined;
  try {
    await writeFile(path, `${password}\n`, { mode: 0o600 });
    if (user !== undefined) await chown(path, user.uid, user.gid);
    file = await open(path, 'r');
    // Whoever may not enter the folder reads it through what was opened for them.
    const passwordArgument = user === undefined ? path : '/proc/self/fd/3';
    const args = ['-D', dataArgument(data, user), ...INITDB, `--pwfile=${passwordArgument}`];
    const child = spawn(join(programs.folder, 'bin', 'initdb'), args, {
      cwd: data,
      env: programEnv(),
      stdio: ['ignore', 'ignore', 'pipe', file.fd],
      windowsHide: true,
      ...user,
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      said = (said + chunk).slice(-4_000);
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    if (code !== 0) throw new Error(said.trim() || `initdb ended with ${signal ?? code}`);
  } finally {
    await file?.close();
    await rm(path, { force: true });
  }
}

export async function keptPassword(folder: string): Promise<string | undefined> {
  try {
    const kept = (await readFile(join(folder, PASSWORD_FILE), 'utf8')).trim();
    return kept === '' ? undefined : kept;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Made once, and kept where only whoever runs the chat can read it. */
async function makePassword(folder: string): Promise<string> {
  const file = join(folder, PASSWORD_FILE);
  const password = randomBytes(24).toString('base64url');
  const draft = `${file}.new`;
  await writeFile(draft, `${password}\n`, { mode: 0o600, flush: true });
  await rename(draft, file);
  await syncFolder(folder);
  return password;
}

async function checkOwner(data: string, user: ServiceUser | undefined): Promise<void> {
  const own = user?.uid ?? process.getuid?.();
  if (own === undefined) return;
  const { uid } = await stat(data);
  if (uid !== own)
    throw new DatabaseStartError(
      `the database in ${data} belongs to the system user ${uid}, and PostgreSQL would run as ${own}: start as whoever started it before (root, or that user), or give it over: chown -R ${own} ${data}`,
    );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A name that was given is safe from a power cut only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
