import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DatabaseStartError } from '@chat-realtime/database';
import { hasCode } from './errors.ts';
import { PORT } from './settings.ts';

const run = promisify(execFile);

const LOCK_FILE = 'postmaster.pid';
const SOCKET_FILES = [`.s.PGSQL.${PORT}`, `.s.PGSQL.${PORT}.lock`];
const LOOK_MS = 50;
/** A clean stop writes what is in memory; after that the server is told to stop without that, and then it is killed. */
const CLEAN_MS = 20_000;
const AT_ONCE_MS = 5_000;

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    if (hasCode(error, 'EPERM')) return name === 0;
    throw error;
  }
}

/** What the server wrote last of itself: its number is on the first line, how far it is on the last. */
export async function readLockFile(data: string): Promise<{ pid: number; port: number; ready: boolean } | undefined> {
  try {
    const text = (await readFile(join(data, LOCK_FILE), 'utf8')).trimEnd();
    const pid = Number.parseInt(text, 10);
    const port = Number(text.split('\n')[3]);
    return Number.isInteger(pid) && pid > 1 ? { pid, port, ready: text.endsWith('ready') } : undefined;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whether the server with this process id accepts connections. */
export async function isReady(data: string, pid: number | undefined): Promise<boolean> {
  const said = await readLockFile(data);
  return said?.ready === true && said.pid === pid;
}

/** Every process of PostgreSQL that works in this folder. PostgreSQL goes into its data folder and stays there. */
async function workingIn(data: string): Promise<number[]> {
  const own = await stat(data);
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const there = await stat(`/proc/${name}/cwd`);
      if (there.dev !== own.dev || there.ino !== own.ino) continue;
      if (/\/postgres(?: \(deleted\))?$/.test(await readlink(`/proc/${name}/exe`))) found.push(Number(name));
    } catch (error) {
      // It ended just now, or is somebody else's.
      if (!hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) throw error;
    }
  }
  return found;
}

async function allGone(look: () => Promise<readonly number[]>, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while ((await look()).length > 0) {
    if (performance.now() > deadline) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/**
 * Ends what an earlier process left running on this folder when it was killed. The caller has reserved the folder, so
 * whatever still works in it has lost the process it belonged to.
 */
export async function endLeftover(data: string): Promise<void> {
  // It may be long gone, and its number another's.
  const named = (await readLockFile(data))?.pid;
  if (process.platform !== 'linux') {
    await endNamed(data, named);
    return;
  }
  const look = (): Promise<number[]> => workingIn(data);
  const found = await look();
  const main = found.find((pid) => pid === named);
  if (main !== undefined) signal(main, 'SIGINT');
  // Without a main process the others end by themselves, as soon as they notice.
  if (!(await allGone(look, main === undefined ? AT_ONCE_MS : CLEAN_MS))) {
    for (const pid of await look()) signal(pid, 'SIGQUIT');
    if (!(await allGone(look, AT_ONCE_MS))) for (const pid of await look()) signal(pid, 'SIGKILL');
    if (!(await allGone(look, AT_ONCE_MS)))
      throw new DatabaseStartError(`a PostgreSQL that was left running on ${data} does not end; end it by hand`);
  }
  // PostgreSQL would take whoever has the number now, even a dead child nobody asked after, for its own main process.
  if (named !== undefined && signal(named, 0)) await rm(join(data, LOCK_FILE), { force: true });
  for (const name of SOCKET_FILES) await rm(join(data, name), { force: true });
}

/** Where a process does not say what it works in, its command line does, or nothing is done: PostgreSQL refuses by itself. */
async function endNamed(data: string, named: number | undefined): Promise<void> {
  if (named === undefined || process.platform === 'win32') return;
  const look = async (): Promise<number[]> => {
    const { stdout } = await run('ps', ['-p', String(named), '-o', 'command=']).catch(() => ({ stdout: '' }));
    return stdout.includes('postgres') && stdout.includes(data) ? [named] : [];
  };
  if ((await look()).length === 0) return;
  signal(named, 'SIGINT');
  await allGone(look, CLEAN_MS);
}
