import { mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { binaries } from './binaries.ts';
import { type ManagedServer, startServer } from './managed-server.ts';
import { freePort } from './ports.ts';
import { tempFolder } from './temp-folder.ts';

export interface RedisOptions {
  /** Keeps the data over kill and restart; off by default, since the channel must do without it. */
  appendOnly?: boolean;
  password?: string;
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
      if (answer.includes('+PONG')) resolve(true);
      if (answer.includes('+PONG') || answer.startsWith('-')) socket.destroy();
    });
    socket.write(password === undefined ? 'PING\r\n' : `AUTH ${password}\r\nPING\r\n`);
  });
}

export async function startRedis(options: RedisOptions = {}): Promise<ManagedServer> {
  const { appendOnly = false, password, args = [] } = options;
  const port = await freePort();
  const folder = tempFolder('redis');
  const data = join(folder, 'data');
  const command = binaries.redisServer();
  return startServer({
    name: 'Redis',
    url: `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`,
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
        ...args,
      ],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder, LC_ALL: 'C' },
      cwd: folder,
    }),
    prepare: async () => {
      await mkdir(data, { recursive: true });
    },
    eraseData: () => rm(data, { recursive: true, force: true }),
    ready: () => ping(port, password),
  });
}
