import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DatabaseStartError } from './types.ts';

const SOCKET_NAME = 'in-use.sock';
/** `sun_path` holds 108 bytes on Linux and 104 on macOS. */
const MAX_SOCKET_PATH = 100;
const ATTEMPTS = 20;

export interface FolderGuard {
  release(): Promise<void>;
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function listen(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (isCode(error, 'EADDRINUSE') ? resolve(false) : reject(error)));
    server.listen({ path }, () => resolve(true));
  });
}

/** What the owner of a socket says, or null when nobody listens there. */
function ask(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let text = '';
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.on('error', (error) => {
      // Anything but "nobody there" counts as an owner: better refuse to start than share the folder.
      resolve(isCode(error, 'ECONNREFUSED', 'ENOENT') ? null : 'unknown');
    });
    socket.on('close', () => resolve(text === '' ? 'unknown' : text));
  });
}

/** Takes a dead owner's socket away without ever taking a living one's: whoever was quicker is put back. */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  if ((await ask(aside)) === null) await rm(aside, { force: true });
  else await rename(aside, path);
}

async function bind(server: Server, path: string, nonce: string, folder: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await listen(server, path)) {
      // Two starters may have cleared the same stale socket; only the one whom the path now leads to goes on.
      if ((await ask(path)) === nonce) return;
      break;
    }
    if ((await ask(path)) !== null) break;
    await removeStale(path);
  }
  server.close();
  throw new DatabaseStartError(
    `the data folder ${folder} is in use by another process; stop it, or choose another DATA_DIR`,
  );
}

/**
 * Reserves a data folder for this process. PGlite has no lock of its own and a second process corrupts the data; a
 * pid file lies after a crash. A bound socket does not: the system answers for it as long as the process lives.
 */
export async function guardFolder(folder: string): Promise<FolderGuard> {
  await mkdir(folder, { recursive: true });
  const real = await realpath(folder);
  const nonce = randomBytes(16).toString('hex');
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(nonce);
  });
  if (process.platform === 'win32') {
    await bind(
      server,
      `\\\\.\\pipe\\chat-realtime-${createHash('sha256').update(real).digest('hex').slice(0, 32)}`,
      nonce,
      folder,
    );
    server.unref();
    return { release: () => close(server) };
  }
  const path = join(real, SOCKET_NAME);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) {
    await bind(server, path, nonce, folder);
    server.unref();
    return { release: () => close(server) };
  }
  if (process.platform !== 'linux')
    throw new DatabaseStartError(`the path of the data folder is too long (${real}); choose a shorter DATA_DIR`);
  // A long path is reached through the folder's descriptor, which must stay open as long as the socket.
  const handle = await open(real, 'r');
  try {
    await bind(server, `/proc/self/fd/${handle.fd}/${SOCKET_NAME}`, nonce, folder);
  } catch (error) {
    await handle.close();
    throw error;
  }
  server.unref();
  return {
    release: async () => {
      await close(server);
      await handle.close();
    },
  };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
