import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { binaries } from '../binaries.ts';
import { type ManagedServer, startServer } from '../managed-server.ts';
import { freePort } from '../ports.ts';
import { tempFolder } from '../temp-folder.ts';
import type { Routes } from './nginx-template.ts';

export type EdgeRoutes = Omit<Routes, 'listen' | 'outerProxies'>;

const asJson = (address: string | undefined): string => JSON.stringify(address ?? null);
const originOf = (address: string | undefined): string =>
  address !== undefined && URL.canParse(address) ? ` ${new URL(address).origin}` : '';

export interface CaddyEdge extends ManagedServer {
  /** Of the authority whose certificate it shows; only with a domain. */
  readonly authority: string;
  /** The address without TLS, which leads to the other; only with a domain. */
  readonly plainUrl: string;
}

/**
 * The product's own Caddyfile, as the compose file runs it, except for TLS: nobody issues a certificate for 127.0.0.1.
 * With a `domain` that ends in `.localhost` it has TLS as well, from Caddy's own authority, which it uses automatically
 * for such a name.
 */
export async function startCaddyEdge(
  root: string,
  routes: EdgeRoutes,
  { domain }: { domain?: string } = {},
): Promise<CaddyEdge> {
  const port = await freePort();
  const plainPort = await freePort();
  const healthPort = await freePort();
  const folder = tempFolder('caddy');
  const url = domain === undefined ? `http://127.0.0.1:${port}` : `https://${domain}:${port}`;
  const command = binaries.caddy();
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: folder,
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    CHAT_SITE: domain ?? url,
    AUTH_SERVICE: routes.authService,
    CHAT_SERVICE: routes.chatService,
    TELEGRAM_BOT: routes.telegramBot ?? '127.0.0.1:8105',
    GATEWAYS: routes.gateways.join(' '),
    CHAT_PAGES: routes.staticRoot,
    CHAT_EARLIER_PAGES: routes.earlierRoot ?? routes.staticRoot,
    OPERATOR_TOKEN_URL: asJson(routes.operatorTokenUrl),
    OPERATOR_LOGIN_URL: asJson(routes.operatorLoginUrl),
    OPERATOR_RETURN_PARAM: JSON.stringify(routes.operatorReturnParam ?? 'return_to'),
    OPERATOR_SITE: routes.operatorSite ?? 'null',
    OPERATOR_CONNECT: originOf(routes.operatorTokenUrl),
    EDGE_HEALTH_PORT: String(healthPort),
  };
  const deployed = join(root, 'deploy/caddy/Caddyfile');
  const config = domain === undefined ? deployed : join(folder, 'Caddyfile');
  const server = await startServer({
    name: 'Caddy',
    url,
    host: '127.0.0.1',
    port,
    folder,
    stopSignal: 'SIGTERM',
    readyTimeoutMs: 20_000,
    stopTimeoutMs: 10_000,
    child: () => ({
      name: 'Caddy',
      command,
      args: ['run', '--adapter', 'caddyfile', '--config', config],
      env,
      cwd: folder,
    }),
    prepare: async () => {
      await mkdir(folder, { recursive: true });
      if (domain === undefined) return;
      // Ports that are free here, on loopback alone, and no authority of a test in the machine's own store.
      const here = `default_bind 127.0.0.1\n\thttp_port ${plainPort}\n\thttps_port ${port}\n\tskip_install_trust`;
      await writeFile(config, (await readFile(deployed, 'utf8')).replace(/^\{$/m, `{\n\t${here}`));
    },
    eraseData: () => rm(join(folder, 'data'), { recursive: true, force: true }),
    ready: async () => (await fetch(`http://127.0.0.1:${healthPort}/healthz`)).ok,
  });
  return Object.assign(server, {
    authority: join(folder, 'data/caddy/pki/authorities/local/root.crt'),
    plainUrl: `http://${domain ?? '127.0.0.1'}:${plainPort}`,
  });
}
