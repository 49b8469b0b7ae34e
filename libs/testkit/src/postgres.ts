import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { binaries } from './binaries.ts';
import { type ManagedServer, startServer } from './managed-server.ts';
import { freePort } from './ports.ts';
import { unprivilegedUser } from './service-user.ts';
import { tempFolder } from './temp-folder.ts';

const run = promisify(execFile);

export interface PostgresOptions {
  /**
   * With fsync, as in production; benchmarks want it. Off by default: a killed process loses nothing by it, only a
   * machine that loses power does, and the suites run several times faster.
   */
  durable?: boolean;
  /** Settings of postgresql.conf. */
  settings?: Record<string, string>;
  database?: string;
  /** A copy of that server, which follows it until `SELECT pg_promote()`. */
  standbyOf?: PostgresServer;
}

export interface PostgresServer extends ManagedServer {
  /** A new empty database beside the first one, so that tests share one server; answers its url. */
  createDatabase(name?: string): Promise<string>;
  /** Asks the first database, past everything under test; numbers of 64 bits come as text. */
  query(sql: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A limit for hanging calls: on a busy machine a new connection alone may take seconds. */
const CONNECT_TIMEOUT_MS = 30_000;
/** While it starts it is asked again, so that each try may end soon. */
const READY_TIMEOUT_MS = 2_000;

async function query(
  url: string,
  sql: string,
  parameters: readonly unknown[] = [],
  connectionTimeoutMillis = CONNECT_TIMEOUT_MS,
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis });
  // A server that is killed under an idle client must not end the test process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, [...parameters])).rows;
  } finally {
    await client.end();
  }
}

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { durable = false, settings = {}, database = 'chat', standbyOf } = options;
  const port = await freePort();
  const folder = tempFolder('postgres');
  const data = join(folder, 'data');
  // Accounts come with the data.
  const password = standbyOf === undefined ? randomBytes(12).toString('hex') : new URL(standbyOf.url).password;
  const passwordFile = join(folder, 'password');
  const user = unprivilegedUser('postgres');
  const command = binaries.postgres();
  const identity = user === null ? {} : { uid: user.uid, gid: user.gid };
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
  const url = (name: string): string => `postgres://chat:${password}@127.0.0.1:${port}/${name}`;
  const allSettings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '120',
    shared_buffers: '64MB',
    fsync: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
    // What the product demands of its database; it refuses to start without.
    synchronous_commit: 'on',
    log_min_messages: 'warning',
    ...settings,
  };

  const server = await startServer({
    name: 'PostgreSQL',
    url: url(database),
    host: '127.0.0.1',
    port,
    folder,
    stopSignal: 'SIGINT',
    readyTimeoutMs: 120_000,
    stopTimeoutMs: 20_000,
    child: () => ({
      name: 'PostgreSQL',
      command,
      args: ['-D', data, ...Object.entries(allSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      env,
      cwd: folder,
      guardSignal: 'QUIT',
      ...identity,
    }),
    prepare: async () => {
      if (await exists(join(data, 'PG_VERSION'))) return;
      await mkdir(data, { recursive: true, mode: 0o700 });
      await writeFile(passwordFile, password, { mode: 0o600 });
      if (user !== null) for (const path of [folder, data, passwordFile]) await chown(path, user.uid, user.gid);
      if (standbyOf !== undefined) {
        const copy = ['-D', data, '-R', '--wal-method=stream', '--checkpoint=fast', '--no-sync', '-d', standbyOf.url];
        await run(binaries.pgBaseBackup(), copy, { env, cwd: folder, ...identity });
        return;
      }
      const args = ['-D', data, '-U', 'chat', '--pwfile', passwordFile, '--auth=scram-sha-256', '--no-sync'];
      await run(binaries.initdb(), [...args, '--encoding=UTF8', '--locale=C.UTF-8'], { env, cwd: folder, ...identity });
    },
    eraseData: () => rm(data, { recursive: true, force: true }),
    ready: async () => {
      await query(url('postgres'), 'select 1', [], READY_TIMEOUT_MS);
      if (standbyOf !== undefined) return true;
      try {
        await query(url('postgres'), `create database "${database}"`);
      } catch (error) {
        const present = error instanceof Error && 'code' in error && error.code === '42P04';
        if (!present) throw error;
      }
      return true;
    },
  });

  let count = 0;
  const createDatabase = async (name = `chat_${process.pid}_${++count}`): Promise<string> => {
    await query(url('postgres'), `create database "${name}"`);
    return url(name);
  };
  return Object.assign(server, {
    createDatabase,
    query: (sql: string, parameters?: readonly unknown[]) => query(url(database), sql, parameters),
  });
}
