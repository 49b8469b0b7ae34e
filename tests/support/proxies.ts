import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { binaries, Child, freePort, HttpClient, startNginx, tempFolder, until } from '@chat-realtime/testkit';

const ROOT = new URL('../../', import.meta.url).pathname;
export const PROXY_GUIDES = ['docs/guides/reverse-proxy.md', 'docs/guides/reverse-proxy.ru.md'] as const;
export const PROXIES = ['nginx', 'apache', 'caddy'] as const;
export type ProxyName = (typeof PROXIES)[number];

export interface Proxy {
  readonly url: string;
  /** Everything it has written so far: its log files, and what it printed. */
  logs(): string;
  stop(): Promise<unknown>;
}

/** The blocks of a guide for one proxy, in their order. */
export async function blocksOf(guide: string, name: ProxyName): Promise<readonly string[]> {
  const text = await readFile(join(ROOT, guide), 'utf8');
  return [...text.matchAll(new RegExp(`\`\`\`${name}\\n(.*?)\`\`\``, 'gs'))].map(([, block = '']) => block);
}

/** The first: the chat under a name of its own. */
export async function blockOf(guide: string, name: ProxyName): Promise<string> {
  const [block] = await blocksOf(guide, name);
  if (block === undefined) throw new Error(`${guide} has no block of ${name}`);
  return block;
}

/** All that is changed of the text: addresses of this machine, and no certificate for a name that nobody has. */
function placed(block: string, port: number, chatPort: number, folder: string): string {
  const replaced: readonly (readonly [RegExp, string])[] = [
    [/listen 443 ssl;/, `listen 127.0.0.1:${port};`],
    [/^ *(?:ssl_certificate|SSLEngine|SSLCertificate).*\n/gm, ''],
    [/<VirtualHost \*:443>/, `<VirtualHost 127.0.0.1:${port}>`],
    [/^chat\.example \{/m, `http://:${port} {\n  bind 127.0.0.1`],
    [/\/var\/log\/nginx|\$\{APACHE_LOG_DIR\}/g, folder],
    [/127\.0\.0\.1:8080/g, `127.0.0.1:${chatPort}`],
  ];
  return replaced.reduce((text, [pattern, by]) => text.replace(pattern, by), block);
}

export function logsIn(folder: string): string {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .filter(({ name }) => name.endsWith('.log'))
    .map(({ name }) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}

export async function startNginxOf(block: string, chatPort: number): Promise<Proxy> {
  const server = await startNginx({ http: ({ port, folder }) => placed(block, port, chatPort, folder) });
  return { url: server.url, logs: () => logsIn(server.folder) + server.output(), stop: () => server.stop() };
}

async function startChild(
  name: string,
  command: string,
  args: string[],
  at: { readonly port: number; readonly folder: string },
  env = {},
): Promise<Proxy> {
  const { port, folder } = at;
  const child = new Child({ name, command, args, env: { PATH: process.env['PATH'] ?? '', ...env } });
  const url = `http://127.0.0.1:${port}`;
  const http = new HttpClient(url);
  await until(async () => (child.assertRunning(), (await http.get('/healthz').catch(() => null)) !== null), {
    timeoutMs: 20_000,
    what: `${name} to answer`,
  });
  http.close();
  return {
    url,
    logs: () => logsIn(folder) + child.output(),
    // One that waits for its last idle connection is of no use here.
    stop: () => child.kill(),
  };
}

export async function startApacheOf(block: string, chatPort: number): Promise<Proxy> {
  const [folder, port] = [tempFolder('apache'), await freePort()];
  const modules = ['mpm_event', 'authz_core', 'dir', 'mime', 'headers', 'proxy', 'proxy_http', 'proxy_wstunnel'];
  const user = process.getuid?.() === 0 ? 'User daemon\nGroup daemon\n' : '';
  const frame = `ServerRoot ${folder}
ServerName chat.example
${user}PidFile ${folder}/apache.pid
ErrorLog ${folder}/error.log
Listen 127.0.0.1:${port}
DefaultRuntimeDir ${folder}
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
TypesConfig /etc/mime.types
`;
  const config = join(folder, 'apache.conf');
  await writeFile(config, frame + placed(block, port, chatPort, folder));
  return startChild('apache', binaries.apache2(), ['-f', config, '-D', 'FOREGROUND'], { port, folder });
}

export async function startCaddyOf(block: string, chatPort: number): Promise<Proxy> {
  const [folder, port] = [tempFolder('caddy'), await freePort()];
  const config = join(folder, 'Caddyfile');
  // Caddy has one block of options, and the text may begin with it.
  const site = placed(block, port, chatPort, folder);
  const own = '{\n  admin off\n  auto_https off\n';
  await writeFile(config, site.startsWith('{\n') ? site.replace('{\n', own) : `${own}}\n${site}`);
  const args = ['run', '--config', config, '--adapter', 'caddyfile'];
  return startChild('caddy', binaries.caddy(), args, { port, folder }, { HOME: folder, XDG_DATA_HOME: folder });
}

export const START_PROXY = { nginx: startNginxOf, apache: startApacheOf, caddy: startCaddyOf } as const;
