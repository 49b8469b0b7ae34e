import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  findBinary,
  freePort,
  type MariaDbServer,
  type NginxServer,
  startMariaDb,
  startNginx,
  startProcess,
  tempFolder,
} from '@chat-realtime/testkit';

const run = promisify(execFile);
const PLUGIN = fileURLToPath(new URL('../../examples/wordpress/chat-realtime', import.meta.url));
const DEBIAN = '/usr/share/wordpress';
export const PASSWORD = 'a password of the campaign';

/** Who is there after the start; all have PASSWORD. */
export const PEOPLE = {
  boss: { role: 'administrator', name: 'Мария Орлова' },
  olga: { role: 'editor', name: 'Ольга Соколова' },
  petr: { role: 'subscriber', name: 'Пётр Иванов' },
} as const;
export type Login = keyof typeof PEOPLE;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface WordPress {
  readonly baseUrl: string;
  /** As a browser sends it, without following. Only browsers know of themselves where a name below `.localhost` leads. */
  ask(path: string, headers: Readonly<Record<string, string>>, form?: URLSearchParams): Promise<Answer>;
  /** Runs PHP with WordPress loaded; answers what it prints. */
  php(code: string): Promise<string>;
  stop(): Promise<void>;
}

async function fpmBinary(): Promise<string> {
  const name = (await readdir('/usr/sbin')).find((one) => /^php-fpm\d/.test(one));
  return findBinary(name ?? 'php-fpm', 'php-fpm');
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** Database, address and no calls to the world outside. */
function config(database: URL, baseUrl: string): string {
  const values = {
    DB_NAME: database.pathname.slice(1),
    DB_USER: decodeURIComponent(database.username),
    DB_PASSWORD: decodeURIComponent(database.password),
    DB_HOST: database.host,
    DB_CHARSET: 'utf8mb4',
    AUTH_KEY: 'a',
    SECURE_AUTH_KEY: 'b',
    LOGGED_IN_KEY: 'c',
    NONCE_KEY: 'd',
    AUTH_SALT: 'e',
    SECURE_AUTH_SALT: 'f',
    LOGGED_IN_SALT: 'g',
    NONCE_SALT: 'h',
    WP_HOME: baseUrl,
    WP_SITEURL: baseUrl,
    WP_ACCESSIBLE_HOSTS: '*.localhost',
  };
  const switches = ['WP_HTTP_BLOCK_EXTERNAL', 'DISABLE_WP_CRON', 'AUTOMATIC_UPDATER_DISABLED', 'WP_DEBUG'];
  return [
    '<?php',
    ...Object.entries(values).map(([name, value]) => `define('${name}', '${value}');`),
    ...switches.map((name) => `define('${name}', true);`),
    // A notice of PHP is a fault of this run: it goes to the log, which is looked at.
    "define('WP_DEBUG_DISPLAY', false);",
    "$table_prefix = 'wp_';",
    "defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');",
    "require_once ABSPATH . 'wp-settings.php';",
    '',
  ].join('\n');
}

/**
 * The files of Debian's package as a site of its own: all but settings and plugins are links. PHP sees through links, so
 * a file that runs before every script says where the site is; answers that file.
 */
async function linkDebian(site: string, folder: string): Promise<string> {
  await mkdir(join(site, 'wp-content/plugins'), { recursive: true });
  for (const name of await readdir(DEBIAN)) {
    if (name !== 'wp-config.php' && name !== 'wp-content') await symlink(join(DEBIAN, name), join(site, name));
  }
  for (const name of ['languages', 'themes']) {
    await symlink(join(DEBIAN, 'wp-content', name), join(site, 'wp-content', name));
  }
  const prepend = join(folder, 'prepend.php');
  await writeFile(prepend, `<?php define('ABSPATH', '${site}/');\n`);
  return prepend;
}

/**
 * A careless page cache: every page of the site is kept for everybody, whoever asked first, and what WordPress says
 * about caching is not heard. Only sign-in and admin are left alone, as all caches do.
 */
function http(site: string, fpmPort: number, at: { port: number; folder: string }): string {
  return `
  include /etc/nginx/mime.types;
  fastcgi_cache_path ${at.folder}/cache levels=1 keys_zone=pages:1m max_size=20m inactive=30m;
  map $request_uri $is_dynamic { default 0; ~^/wp-(admin|login) 1; }
  server {
    listen 127.0.0.1:${at.port};
    root ${site};
    index index.php;
    port_in_redirect on;
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ {
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      # Debian's file leaves the port out, and the site's address has one.
      fastcgi_param HTTP_HOST $http_host;
      fastcgi_pass 127.0.0.1:${fpmPort};
      fastcgi_cache pages;
      fastcgi_cache_key $request_method$request_uri;
      fastcgi_cache_valid 200 30m;
      fastcgi_ignore_headers Cache-Control Expires Vary;
      fastcgi_cache_bypass $is_dynamic;
      fastcgi_no_cache $is_dynamic;
      add_header X-Page-Cache $upstream_cache_status always;
    }
  }`;
}

/** Debian's WordPress with the plugin, behind nginx and php-fpm, on MariaDB. Names below `.localhost` lead here. */
export async function startWordPress(): Promise<WordPress> {
  const folder = tempFolder('wordpress');
  const site = join(folder, 'site');
  const [port, fpmPort] = [await freePort(), await freePort()];
  const baseUrl = `http://shop.localhost:${port}`;
  const logFile = join(folder, 'php.log');
  const prepend = await linkDebian(site, folder);
  await cp(PLUGIN, join(site, 'wp-content/plugins/chat-realtime'), { recursive: true });
  await writeFile(logFile, '', { mode: 0o666 });
  const maria: MariaDbServer = await startMariaDb();
  await writeFile(join(site, 'wp-config.php'), config(new URL(await maria.createDatabase()), baseUrl));
  // As root the workers are www-data, who may read, and write the log.
  await chmod(folder, 0o755);
  await chmod(logFile, 0o666);
  const isRoot = process.getuid?.() === 0;
  const fpmConfig = join(folder, 'fpm.conf');
  await writeFile(
    fpmConfig,
    [
      '[global]',
      `error_log = ${join(folder, 'fpm.log')}`,
      'daemonize = no',
      '[site]',
      ...(isRoot ? ['user = www-data', 'group = www-data'] : []),
      `listen = 127.0.0.1:${fpmPort}`,
      'pm = static',
      'pm.max_children = 4',
      'php_admin_flag[log_errors] = on',
      `php_admin_value[error_log] = ${logFile}`,
      `php_admin_value[auto_prepend_file] = ${prepend}`,
      '',
    ].join('\n'),
  );
  const fpm = await startProcess({
    name: 'php-fpm',
    command: await fpmBinary(),
    args: ['-F', '-y', fpmConfig],
    cwd: folder,
    ready: () => accepts(fpmPort),
    readyTimeoutMs: 30_000,
  });
  const nginx: NginxServer = await startNginx({ port, http: (at) => http(site, fpmPort, at) });
  const php = async (code: string): Promise<string> => {
    const before = `require '${prepend}'; $_SERVER['HTTP_HOST'] = '${new URL(baseUrl).host}';`;
    const args = ['-d', 'display_errors=stderr', '-r', `${before} ${code}`];
    return (await run(findBinary('php', 'php-cli'), args, { cwd: site })).stdout;
  };
  await php(`
    define('WP_INSTALLING', true);
    function wp_new_blog_notification() {}
    require 'wp-load.php';
    require 'wp-admin/includes/upgrade.php';
    wp_install('Мастерская светильников', 'boss', 'boss@shop.example', true, '', '${PASSWORD}', 'ru_RU');`);
  const loaded = (code: string): Promise<string> => php(`require 'wp-load.php'; ${code}`);
  await loaded(`
    require 'wp-admin/includes/plugin.php';
    switch_theme('twentytwentythree');
    // Pictures of users come from the internet, which this machine may not have.
    update_option('show_avatars', 0);
    wp_update_user(['ID' => 1, 'display_name' => '${PEOPLE.boss.name}']);
    foreach (['olga', 'petr'] as $login) {
      $of = ['olga' => ['${PEOPLE.olga.role}', '${PEOPLE.olga.name}'], 'petr' => ['${PEOPLE.petr.role}', '${PEOPLE.petr.name}']][$login];
      wp_insert_user(['user_login' => $login, 'user_pass' => '${PASSWORD}', 'user_email' => "$login@shop.example",
        'role' => $of[0], 'display_name' => $of[1], 'show_admin_bar_front' => 'false']);
    }
    $fault = activate_plugin('chat-realtime/chat-realtime.php');
    if (is_wp_error($fault)) throw new Exception($fault->get_error_message());`);
  return {
    baseUrl,
    ask: (path, headers, form) =>
      new Promise((resolve, reject) => {
        const body = form?.toString();
        const options = {
          method: body === undefined ? 'GET' : 'POST',
          headers: {
            ...headers,
            Host: new URL(baseUrl).host,
            ...(body !== undefined && { 'Content-Type': 'application/x-www-form-urlencoded' }),
          },
        };
        request(`http://127.0.0.1:${port}${path}`, options, (answer) => {
          const { statusCode = 0 } = answer;
          text(answer).then((all) => resolve({ status: statusCode, headers: answer.headers, text: all }), reject);
        })
          .once('error', reject)
          .end(body);
      }),
    php: loaded,
    stop: async () => {
      await nginx.stop();
      await fpm.stop('SIGTERM');
      await maria.stop();
      const faults = (await readFile(logFile, 'utf8')).split('\n').filter((line) => line.includes('chat-realtime'));
      if (faults.length > 0) throw new Error(`PHP complained about the plugin:\n${faults.join('\n')}`);
    },
  };
}

/** A browser without a page: it keeps its cookies. */
export class SiteUser {
  readonly cookies = new Map<string, string>();
  readonly #site: WordPress;

  constructor(site: WordPress) {
    this.#site = site;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#send(path, headers);
  }

  post(path: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
    return this.#send(path, {}, new URLSearchParams(fields));
  }

  async signIn(login: Login, returnTo = `${this.#site.baseUrl}/wp-admin/`): Promise<Answer> {
    await this.get('/wp-login.php');
    const answer = await this.post('/wp-login.php', {
      log: login,
      pwd: PASSWORD,
      redirect_to: returnTo,
      testcookie: '1',
    });
    if (answer.status !== 302) throw new Error(`signing in as ${login} answered ${answer.status}`);
    return answer;
  }

  async #send(path: string, headers: Readonly<Record<string, string>>, form?: URLSearchParams): Promise<Answer> {
    const Cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await this.#site.ask(path.replace(this.#site.baseUrl, ''), { Cookie, ...headers }, form);
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const ended = /expires=([^;]+)/i.exec(line)?.[1];
      if (ended !== undefined && Date.parse(ended) < Date.now()) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }
}
