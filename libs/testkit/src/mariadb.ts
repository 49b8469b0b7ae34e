import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { binaries } from './binaries.ts';
import { type ManagedServer, startServer } from './managed-server.ts';
import { freePort } from './ports.ts';
import { unprivilegedUser } from './service-user.ts';
import { tempFolder } from './temp-folder.ts';

const run = promisify(execFile);

export interface MariaDbOptions {
  /** Writes to disk at each commit, as in production. Off by default: only a machine that loses power needs it. */
  durable?: boolean;
  /** Options of mariadbd, without their dashes. */
  settings?: Record<string, string>;
}

export interface MariaDbServer extends ManagedServer {
  /** A new empty database; answers its url, of a user who may do anything. */
  createDatabase(name?: string): Promise<string>;
}

/** Debian's MariaDB on a private port and folder. */
export async function startMariaDb({ durable = false, settings = {} }: MariaDbOptions = {}): Promise<MariaDbServer> {
  const port = await freePort();
  const folder = tempFolder('mariadb');
  const data = join(folder, 'data');
  const init = join(folder, 'init.sql');
  const password = randomBytes(12).toString('hex');
  const user = unprivilegedUser('mysql');
  const identity = user === null ? {} : { uid: user.uid, gid: user.gid };
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
  const url = (name: string): string => `mysql://chat:${password}@127.0.0.1:${port}/${name}`;
  const options = {
    datadir: data,
    port: String(port),
    'bind-address': '127.0.0.1',
    socket: join(folder, 'socket'),
    'pid-file': join(folder, 'pid'),
    'init-file': init,
    'skip-name-resolve': 'ON',
    'character-set-server': 'utf8mb4',
    'max-connections': '400',
    'innodb-buffer-pool-size': '48M',
    'innodb-flush-log-at-trx-commit': durable ? '1' : '2',
    ...settings,
  };
  const server = await startServer({
    name: 'MariaDB',
    url: url('chat'),
    host: '127.0.0.1',
    port,
    folder,
    stopSignal: 'SIGTERM',
    readyTimeoutMs: 30_000,
    stopTimeoutMs: 20_000,
    child: () => ({
      name: 'MariaDB',
      command: binaries.mariadbd(),
      args: ['--no-defaults', ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)],
      env,
      cwd: folder,
      ...identity,
    }),
    prepare: async () => {
      if (await exists(join(data, 'mysql'))) return;
      await mkdir(data, { recursive: true, mode: 0o700 });
      await writeFile(
        init,
        [
          'CREATE DATABASE IF NOT EXISTS chat;',
          `CREATE USER IF NOT EXISTS 'chat'@'127.0.0.1' IDENTIFIED BY '${password}';`,
          "GRANT ALL ON *.* TO 'chat'@'127.0.0.1' WITH GRANT OPTION;",
          '',
        ].join('\n'),
        { mode: 0o600 },
      );
      if (user !== null) for (const path of [folder, data, init]) await chown(path, user.uid, user.gid);
      const args = ['--no-defaults', `--datadir=${data}`, '--skip-test-db', '--auth-root-authentication-method=socket'];
      await run(binaries.mariadbInstall(), args, { env, cwd: folder, ...identity });
    },
    eraseData: () => rm(data, { recursive: true, force: true }),
    ready: async () => {
      await execute(url('chat'), 'SELECT 1');
      return true;
    },
  });
  let count = 0;
  return Object.assign(server, {
    createDatabase: async (name = `site_${process.pid}_${++count}`): Promise<string> => {
      await execute(url('chat'), `CREATE DATABASE \`${name}\``);
      return url(name);
    },
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function execute(url: string, sql: string): Promise<void> {
  const connection = await createConnection({ uri: url, connectTimeout: 2_000 });
  // A server that is killed under an idle client must not end the test process.
  connection.on('error', () => undefined);
  try {
    await connection.query(sql);
  } finally {
    await connection.end();
  }
}
