import { fileURLToPath } from 'node:url';
import { freePort, startProcess, tempFolder } from '@chat-realtime/testkit';
import { environmentOf } from './profiles.ts';
import type { Target, TargetRequest } from './target.ts';

const MAIN = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));

/** What `npm start` runs, in a folder of its own. */
export async function startStandalone(
  request: TargetRequest,
  settings: Readonly<Record<string, string>> = {},
): Promise<Target> {
  const port = await freePort();
  const app = await startProcess({
    name: `standalone (${request.profile})`,
    args: ['--enable-source-maps', MAIN],
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: tempFolder(`blackbox-${request.profile}`),
      ALERT_WEBHOOK_URLS: request.webhookUrl,
      ...environmentOf(request.profile),
      ...extraEnvironment(),
      ...settings,
    },
    ready: `http://127.0.0.1:${port}/readyz`,
    // A machine that is busy with other suites is not wrong.
    readyTimeoutMs: 90_000,
    stopTimeoutMs: 25_000,
  });
  return {
    kind: 'standalone',
    baseUrl: `http://127.0.0.1:${port}`,
    cheap: true,
    assertAlive: () => app.assertAlive(),
    terminateGateway: () => app.stop('SIGTERM'),
    killGateways: async () => {
      await app.kill();
      await app.start();
    },
    restart: () => app.restart(),
    stop: async () => {
      await app.stop();
    },
  };
}

/** `BLACKBOX_ENV="A=1 B=2"`: settings for one run, for example DATABASE_URL of a real PostgreSQL. */
export function extraEnvironment(): Record<string, string> {
  const entries = (process.env['BLACKBOX_ENV'] ?? '').split(' ').filter((entry) => entry.includes('='));
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}
