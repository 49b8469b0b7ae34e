import { fileURLToPath } from 'node:url';
import { Child, freePort, HttpClient, tempFolder, until } from '@chat-realtime/testkit';
import { environmentOf } from './profiles.ts';
import type { Target, TargetRequest } from './target.ts';

const MAIN = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));
const START_TIMEOUT_MS = 30_000;

/** What `npm start` runs, in a folder of its own. */
export async function startStandalone(request: TargetRequest): Promise<Target> {
  const port = await freePort();
  const child = new Child({
    name: `standalone (${request.profile})`,
    command: process.execPath,
    args: [MAIN],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: tempFolder(`blackbox-${request.profile}`),
      ALERT_WEBHOOK_URLS: request.webhookUrl,
      ...environmentOf(request.profile),
      ...extraEnvironment(),
    },
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  const http = new HttpClient(baseUrl);
  await until(
    async () => {
      child.assertRunning();
      return (await http.get('/readyz', { timeoutMs: 2_000 })).status === 200;
    },
    { timeoutMs: START_TIMEOUT_MS, everyMs: 50, what: `readiness of the standalone process:\n${child.output()}` },
  ).catch((error: unknown) => {
    child.assertRunning();
    throw error;
  });
  http.close();
  return {
    kind: 'standalone',
    baseUrl,
    cheap: true,
    assertAlive: () => child.assertRunning(),
    terminateGateway: () => child.stop('SIGTERM', 25_000),
    stop: async () => {
      if (child.running) await child.stop('SIGTERM', 25_000);
    },
  };
}

/** `BLACKBOX_ENV="A=1 B=2"`: settings for one run, for example DATABASE_URL of a real PostgreSQL. */
export function extraEnvironment(): Record<string, string> {
  const entries = (process.env['BLACKBOX_ENV'] ?? '').split(' ').filter((entry) => entry.includes('='));
  return Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}
