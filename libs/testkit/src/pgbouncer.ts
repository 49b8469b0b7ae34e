import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { binaries } from './binaries.ts';
import { type ManagedServer, startServer } from './managed-server.ts';
import { freePort } from './ports.ts';
import { unprivilegedUser } from './service-user.ts';
import { tempFolder } from './temp-folder.ts';

export interface PgBouncerOptions {
  /** The database behind it. */
  databaseUrl: string;
  mode: 'session' | 'transaction';
  /** Further lines of its section `[pgbouncer]`. */
  settings?: Record<string, string>;
}

/** Debian's PgBouncer before one database; its url takes the place of that of the database. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<ManagedServer> {
  const behind = new URL(options.databaseUrl);
  const name = behind.pathname.slice(1);
  const port = await freePort();
  const folder = tempFolder('pgbouncer');
  const config = join(folder, 'pgbouncer.ini');
  const user = unprivilegedUser('postgres');
  const url = `postgres://${behind.username}@127.0.0.1:${port}/${name}`;
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: options.mode,
    max_client_conn: '200',
    default_pool_size: '40',
    ...options.settings,
  };
  const lines = [
    '[databases]',
    `${name} = host=${behind.hostname} port=${behind.port} dbname=${name} user=${behind.username} password=${behind.password}`,
    '[pgbouncer]',
    ...Object.entries(settings).map(([key, value]) => `${key} = ${value}`),
  ];
  return startServer({
    name: 'PgBouncer',
    url,
    host: '127.0.0.1',
    port,
    folder,
    stopSignal: 'SIGINT',
    readyTimeoutMs: 10_000,
    stopTimeoutMs: 10_000,
    child: () => ({
      name: 'PgBouncer',
      command: binaries.pgbouncer(),
      args: [config],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder, LC_ALL: 'C' },
      cwd: folder,
      ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
    }),
    prepare: async () => {
      await mkdir(folder, { recursive: true });
      await writeFile(config, `${lines.join('\n')}\n`, { mode: 0o600 });
      if (user !== null) for (const path of [folder, config]) await chown(path, user.uid, user.gid);
    },
    eraseData: async () => undefined,
    ready: async () => {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
      client.on('error', () => undefined);
      await client.connect();
      try {
        await client.query('SELECT 1');
      } finally {
        await client.end();
      }
      return true;
    },
  });
}
