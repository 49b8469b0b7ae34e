import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { binaries } from './binaries.ts';
import { type ManagedServer, startServer } from './managed-server.ts';
import { freePort } from './ports.ts';
import { tempFolder } from './temp-folder.ts';

/** On a machine that is busy with tests even loopback may take its time. */
const BUSY_CONNECT_MS = 30_000;

export interface RedisOptions {
  /** Keeps the data over kill and restart; off by default, since the channel must do without it. */
  appendOnly?: boolean;
  password?: string;
  /** The content of a users file (`aclfile`), and who signs in by the server's `url`. */
  users?: { file: string; user: string; password: string };
  /** Further lines of redis.conf as arguments, such as ['--maxmemory', '8mb']. */
  args?: string[];
}

function ping(port: number, password: string | undefined): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('close', () => resolve(false));
    socket.setEncoding('utf8');
    let answer = '';
    socket.on('data', (chunk: string) => {
      answer += chunk;
      // While Redis still loads its append-only file it answers -LOADING.
      const isUp = answer.includes('+PONG') || answer.startsWith('-NOAUTH');
      if (isUp) resolve(true);
      if (isUp || answer.startsWith('-')) socket.destroy();
    });
    socket.write(password === undefined ? 'PING\r\n' : `AUTH ${password}\r\nPING\r\n`);
  });
}

export async function startRedis(options: RedisOptions = {}): Promise<ManagedServer> {
  const { appendOnly = false, password, users, args = [] } = options;
  const port = await freePort();
  const folder = tempFolder('redis');
  const data = join(folder, 'data');
  const usersFile = join(folder, 'users.acl');
  const login = users === undefined ? { user: '', password } : users;
  const command = binaries.redisServer();
  return startServer({
    name: 'Redis',
    url: `redis://${login.password === undefined ? '' : `${login.user}:${login.password}@`}127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    folder,
    stopSignal: 'SIGTERM',
    readyTimeoutMs: 10_000,
    stopTimeoutMs: 10_000,
    child: () => ({
      name: 'Redis',
      command,
      args: [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', data, '--daemonize', 'no', '--save', ''],
        ...['--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
        ...(password === undefined ? [] : ['--requirepass', password]),
        ...(users === undefined ? [] : ['--aclfile', usersFile]),
        ...args,
      ],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder, LC_ALL: 'C' },
      cwd: folder,
    }),
    prepare: async () => {
      await mkdir(data, { recursive: true });
      if (users !== undefined) await writeFile(usersFile, users.file, { mode: 0o600 });
    },
    eraseData: () => rm(data, { recursive: true, force: true }),
    ready: () => ping(port, password),
  });
}

/** One command on a connection of its own, for looks from outside; a refusal is thrown. */
export async function redisCommand(url: string, ...args: string[]): Promise<unknown> {
  const socket = { reconnectStrategy: false, connectTimeout: BUSY_CONNECT_MS } as const;
  const client = createClient({ url, disableClientInfo: true, socket });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.sendCommand(args);
  } finally {
    client.destroy();
  }
}
