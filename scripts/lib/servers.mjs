// The real servers the tests run against: Debian's own packages, installed when root, else named in one message.
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, seconds } from './run.mjs';

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const POLICY = '/usr/sbin/policy-rc.d';

function onPath(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS].filter((folder) => folder !== '');
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      // Not in this folder; the next one may have it.
      return false;
    }
  });
}

function hasPostgres() {
  const base = '/usr/lib/postgresql';
  if (!existsSync(base)) return onPath('postgres') && onPath('initdb');
  return readdirSync(base).some((version) => Number(version) >= 15 && existsSync(join(base, version, 'bin/postgres')));
}

/** Debian keeps a module of PHP in a folder named after the interface version: /usr/lib/php/20220829/pdo_pgsql.so. */
function hasPhpModule(name) {
  const base = '/usr/lib/php';
  if (!existsSync(base)) return false;
  return readdirSync(base).some((version) => existsSync(join(base, version, `${name}.so`)));
}

/** Debian package → is it there. */
const NEEDED = {
  'redis-server': () => onPath('redis-server'),
  'rabbitmq-server': () => onPath('rabbitmq-server') && onPath('epmd'),
  postgresql: hasPostgres,
  pgbouncer: () => onPath('pgbouncer'),
  nginx: () => onPath('nginx'),
  'apache2-bin': () => onPath('apache2'),
  caddy: () => onPath('caddy'),
  chromium: () => onPath('chromium'),
  'chromium-headless-shell': () => onPath('chromium-headless-shell'),
  'firefox-esr': () => onPath('firefox-esr'),
  'php-cli': () => onPath('php'),
  'php-sqlite3': () => hasPhpModule('pdo_sqlite'),
  'php-pgsql': () => hasPhpModule('pdo_pgsql'),
  'mariadb-server': () => onPath('mariadbd') && onPath('mariadb-install-db'),
  prometheus: () => onPath('prometheus') && onPath('promtool'),
  'prometheus-alertmanager': () => onPath('prometheus-alertmanager') && onPath('amtool'),
  'dovecot-imapd': () => onPath('dovecot') && existsSync('/usr/lib/dovecot/imap'),
  systemd: () => onPath('systemd-analyze'),
  'libcap2-bin': () => onPath('setcap'),
};

/** What single campaigns need beside it; a line of their file names it. */
const OF_CAMPAIGNS = {
  wordpress: () => existsSync('/usr/share/wordpress/wp-load.php'),
  'wordpress-l10n': () => existsSync('/usr/share/wordpress/wp-content/languages/ru_RU.mo'),
  'wordpress-theme-twentytwentythree': () =>
    existsSync('/usr/share/wordpress/wp-content/themes/twentytwentythree/style.css'),
  'php-fpm': () => existsSync('/usr/sbin') && readdirSync('/usr/sbin').some((name) => /^php-fpm\d/.test(name)),
  'php-mysql': () => hasPhpModule('mysqli'),
  'php-curl': () => hasPhpModule('curl'),
  'php-amqplib': () => existsSync('/usr/share/php/PhpAmqpLib/autoload.php'),
};

/** @param {string[]} more Packages of a campaign. */
function missing(more) {
  const known = { ...NEEDED, ...OF_CAMPAIGNS };
  return [...Object.keys(NEEDED), ...more].filter((name) => {
    if (known[name] === undefined) throw new Error(`scripts/lib/servers.mjs does not know how to find ${name}`);
    return !known[name]();
  });
}

function isDebian() {
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8')) && onPath('apt-get');
  } catch {
    // No os-release: not a Debian.
    return false;
  }
}

function explain(names) {
  const command = `apt-get install -y --no-install-recommends ${names.join(' ')}`;
  return new Error(
    `the tests run against real servers, and these are missing here: ${names.join(', ')}\n` +
      `On Debian 12 or later, as root:  ${command}\n` +
      'PostgreSQL must be 15 or later, Redis 7, RabbitMQ 3.10. They are started privately; none has to run.',
  );
}

/** Debian starts a server as it installs it; a policy-rc.d that answers 101 forbids that, as long as it is there. */
async function withoutAutostart(work) {
  const saved = `${POLICY}.chat-realtime-saved`;
  const had = existsSync(POLICY);
  if (had) renameSync(POLICY, saved);
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const restore = () => {
    if (had) renameSync(saved, POLICY);
    else rmSync(POLICY, { force: true });
  };
  const interrupted = (signal) => {
    restore();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await work();
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    restore();
  }
}

/** @param {string[]} [more] Packages of a campaign, beside those that `npm test` needs. */
export async function installServers(more = []) {
  const names = missing(more);
  if (names.length === 0) return;
  if (process.getuid?.() !== 0 || !isDebian()) throw explain(names);
  const started = Date.now();
  console.log(`Installing Debian packages for the tests (once): ${names.join(', ')} …`);
  const env = {
    ...process.env,
    PATH: [process.env.PATH ?? '', ...SYSTEM_FOLDERS].join(delimiter),
    DEBIAN_FRONTEND: 'noninteractive',
    LC_ALL: 'C.UTF-8',
  };
  const wait = ['-o', 'DPkg::Lock::Timeout=300', '-q'];
  await withoutAutostart(async () => {
    await run('apt-get', [...wait, 'update'], { label: 'apt-get update', env });
    await run('apt-get', [...wait, 'install', '-y', '--no-install-recommends', ...names], {
      label: 'apt-get install',
      env,
    });
  });
  const still = missing(more);
  if (still.length > 0) throw explain(still);
  console.log(`Debian packages installed in ${seconds(started)}`);
}
