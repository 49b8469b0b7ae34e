import { mkdir, rm } from 'node:fs/promises';
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

/** The product's own Caddyfile, as the compose file runs it, but for TLS: nobody gives a certificate for 127.0.0.1. */
export async function startCaddyEdge(root: string, routes: EdgeRoutes, wanted?: number): Promise<ManagedServer> {
  const port = wanted ?? (await freePort());
  const healthPort = await freePort();
  const folder = tempFolder('caddy');
  const command = binaries.caddy();
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: folder,
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    CHAT_SITE: `http://127.0.0.1:${port}`,
    AUTH_SERVICE: routes.authService,
    CHAT_SERVICE: routes.chatService,
    TELEGRAM_BOT: routes.telegramBot ?? '127.0.0.1:8105',
    GATEWAYS: routes.gateways.join(' '),
    CHAT_PAGES: routes.staticRoot,
    CHAT_EARLIER_PAGES: routes.earlierRoot ?? routes.staticRoot,
    OPERATOR_TOKEN_URL: asJson(routes.operatorTokenUrl),
    OPERATOR_LOGIN_URL: asJson(routes.operatorLoginUrl),
    OPERATOR_CONNECT: originOf(routes.operatorTokenUrl),
    EDGE_HEALTH_PORT: String(healthPort),
  };
  const config = join(root, 'deploy/caddy/Caddyfile');
  return startServer({
    name: 'Caddy',
    url: `http://127.0.0.1:${port}`,
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
    },
    eraseData: () => rm(join(folder, 'data'), { recursive: true, force: true }),
    ready: async () => (await fetch(`http://127.0.0.1:${healthPort}/healthz`)).ok,
  });
}
