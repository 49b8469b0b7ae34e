import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseStartError } from './types.ts';

/** `sun_path` holds 108 bytes on Linux and 104 on macOS. */
export const MAX_SOCKET_PATH = 100;
/**
 * A process that is unclear for this long is suspended and may continue later: better refuse to start than share the
 * folder.
 */
const UNDECIDED_MS = 5_000;
const LOOK_AGAIN_MS = 20;
const VISIBLE = /^in-use\..*sock$/;

/** A starter announces itself as such until it has seen that it is alone. */
type Claim = 'starting' | 'owner';
/** `unclear`: a process that is just exiting, or does not respond. */
type Rival = Claim | 'nobody' | 'unclear';

export interface FolderGuard {
  release(): Promise<void>;
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => resolve());
  });
}

/** The state of the process behind a socket. */
function ask(path: string): Promise<Rival> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let text = '';
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.on('error', (error) => resolve(isCode(error, 'ECONNREFUSED', 'ENOENT') ? 'nobody' : 'unclear'));
    socket.on('close', () => resolve(text === 'starting' || text === 'owner' ? text : 'unclear'));
  });
}

/**
 * Whether this starter, whose socket is visible by now, may have the folder. Each announces itself first and then looks
 * for others, so of two starters at least one sees the other. Of those that see each other, the one whose name sorts
 * last waits for the rest to leave or to take over, and the rest leave. Names are random and never reused: a dead one
 * can be removed without removing a living one's.
 */
async function mayHave(folder: string, own: string): Promise<boolean> {
  const deadline = performance.now() + UNDECIDED_MS;
  while (performance.now() < deadline) {
    const names = (await readdir(folder)).filter((name) => VISIBLE.test(name) && name !== own);
    const rivals = await Promise.all(names.map(async (name) => ({ name, is: await ask(join(folder, name)) })));
    for (const { name, is } of rivals) if (is === 'nobody') await rm(join(folder, name), { force: true });
    const living = rivals.filter(({ is }) => is !== 'nobody');
    if (living.length === 0) return true;
    if (living.some(({ name, is }) => is === 'owner' || (is === 'starting' && name > own))) return false;
    await sleep(LOOK_AGAIN_MS);
  }
  return false;
}

/** Another process has the folder, and is alive. */
export class FolderInUseError extends DatabaseStartError {
  override readonly code = 'folder_in_use';
}

function inUse(folder: string): FolderInUseError {
  return new FolderInUseError(
    `the data folder ${folder} is in use by another process; stop it, or choose another DATA_DIR`,
  );
}

/** `reach` is a path to the folder that is short enough. */
async function claim(server: Server, reach: string, folder: string, decided: () => void): Promise<() => Promise<void>> {
  const own = `in-use.${randomBytes(8).toString('hex')}.sock`;
  const path = join(reach, own);
  const leave = async (): Promise<void> => {
    await rm(path, { force: true });
    await close(server);
  };
  // Published only when it listens: a socket that is bound and does not listen yet looks like a dead one.
  const hidden = join(reach, `.${own}`);
  await listen(server, hidden);
  try {
    await rename(hidden, path);
    if (!(await mayHave(reach, own))) throw inUse(folder);
    // A folder that was emptied in the meantime would look unused.
    await access(path);
  } catch (error) {
    await leave();
    throw error;
  }
  decided();
  return leave;
}

/**
 * Reserves a data folder for this process. PGlite has no lock of its own, and a second process corrupts the data. A pid
 * file is wrong after a crash. A bound socket is not: the system answers for it as long as the process lives.
 */
export async function guardFolder(folder: string): Promise<FolderGuard> {
  await mkdir(folder, { recursive: true });
  const real = await realpath(folder);
  let said: Claim = 'starting';
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(said);
  });
  const decided = (): void => {
    said = 'owner';
    server.unref();
  };
  if (process.platform === 'win32') {
    // A named pipe has one server and disappears with it.
    const hash = createHash('sha256').update(real).digest('hex').slice(0, 32);
    await listen(server, `\\\\.\\pipe\\chat-realtime-${hash}`).catch((error: unknown) => {
      throw isCode(error, 'EADDRINUSE') ? inUse(folder) : error;
    });
    decided();
    return { release: () => close(server) };
  }
  if (Buffer.byteLength(join(real, `.in-use.${'0'.repeat(16)}.sock`)) <= MAX_SOCKET_PATH)
    return { release: await claim(server, real, folder, decided) };
  if (process.platform !== 'linux')
    throw new DatabaseStartError(`the path of the data folder is too long (${real}); choose a shorter DATA_DIR`);
  // A long path is reached through the folder's descriptor, which must stay open as long as the socket.
  const handle = await open(real, 'r');
  try {
    const leave = await claim(server, `/proc/self/fd/${handle.fd}`, folder, decided);
    return {
      release: async () => {
        await leave();
        await handle.close();
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
