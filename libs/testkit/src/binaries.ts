import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there or not ours to run: both mean "look further".
    return false;
  }
}

/** Debian keeps PostgreSQL's and RabbitMQ's own programs outside the PATH, one folder per version. */
function postgresFolders(): string[] {
  const base = '/usr/lib/postgresql';
  try {
    return readdirSync(base)
      .filter((version) => Number(version) >= 15)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(base, version, 'bin'));
  } catch {
    // No Debian layout on this machine: the PATH decides.
    return [];
  }
}

export function findBinary(name: string, packageName: string, first: string[] = []): string {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...first, ...path, '/usr/sbin', '/usr/local/bin', '/usr/bin', '/sbin']) {
    const candidate = join(folder, name);
    if (isExecutable(candidate)) return candidate;
  }
  throw new Error(`${name} is not installed on this machine (Debian package: ${packageName})`);
}

export const binaries = {
  redisServer: () => findBinary('redis-server', 'redis-server'),
  // Debian's /usr/sbin/rabbitmq-server changes to the rabbitmq user; a private node runs as whoever starts it.
  rabbitmqServer: () => findBinary('rabbitmq-server', 'rabbitmq-server', ['/usr/lib/rabbitmq/bin']),
  epmd: () => findBinary('epmd', 'erlang-base'),
  postgres: () => findBinary('postgres', 'postgresql', postgresFolders()),
  initdb: () => findBinary('initdb', 'postgresql', postgresFolders()),
  mariadbd: () => findBinary('mariadbd', 'mariadb-server'),
  mariadbInstall: () => findBinary('mariadb-install-db', 'mariadb-server'),
  pgBaseBackup: () => findBinary('pg_basebackup', 'postgresql-client', postgresFolders()),
  pgDump: () => findBinary('pg_dump', 'postgresql-client', postgresFolders()),
  pgRestore: () => findBinary('pg_restore', 'postgresql-client', postgresFolders()),
  pgbouncer: () => findBinary('pgbouncer', 'pgbouncer'),
  apache2: () => findBinary('apache2', 'apache2-bin'),
  caddy: () => findBinary('caddy', 'caddy'),
  dovecot: () => findBinary('dovecot', 'dovecot-imapd'),
  nginx: () => findBinary('nginx', 'nginx'),
  chromium: () => findBinary('chromium', 'chromium'),
  php: () => findBinary('php', 'php-cli'),
};
