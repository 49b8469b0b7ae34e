import { fileURLToPath } from 'node:url';
import { freePort, SERVICE_FLAGS, startProcess, tempFolder, until } from '@chat-realtime/testkit';
import { environmentOf } from './profiles.ts';
import { extraEnvironment, type Target, type TargetRequest } from './target-kinds.ts';

const MAIN = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));

export interface StandaloneTarget extends Target {
  /** Path and key of `/try/` as the terminal shows it; each opens once. */
  tryPath(): Promise<string>;
  /** What it has logged, as it stands in the file of a log collector. */
  logLines(): readonly string[];
}

/** What `npm start` runs, in a folder of its own. */
export async function startStandalone(
  request: TargetRequest,
  settings: Readonly<Record<string, string>> | ((baseUrl: string) => Readonly<Record<string, string>>) = {},
): Promise<StandaloneTarget> {
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  /** Printed last. Long before a test asks for it, so that nothing later may push it out. */
  let tryPath: string | undefined;
  const app = await startProcess({
    name: `standalone (${request.profile})`,
    onLine: (line) => {
      tryPath = /\/try\/\?key=[\w-]+/.exec(line)?.[0] ?? tryPath;
    },
    args: [...SERVICE_FLAGS, MAIN],
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      // What follows belongs to a real chat and would end the demo.
      DEMO: 'on',
      DATA_DIR: tempFolder(`blackbox-${request.profile}`),
      ALERT_WEBHOOK_URLS: request.webhookUrl,
      ...environmentOf(request.profile),
      ...extraEnvironment(),
      ...(typeof settings === 'function' ? settings(baseUrl) : settings),
    },
    ready: `${baseUrl}/readyz`,
    // A machine that is busy with other suites is not wrong.
    readyTimeoutMs: 180_000,
    stopTimeoutMs: 25_000,
  });
  return {
    kind: 'standalone',
    baseUrl,
    cheap: true,
    tryPath: () => until(() => tryPath, { timeoutMs: 20_000, what: 'the printed address of /try/' }),
    logLines: () => app.logs.map((record) => JSON.stringify(record)),
    assertAlive: () => app.assertAlive(),
    terminateGateway: () => app.stop('SIGTERM'),
    killGateways: async () => {
      await app.kill();
      tryPath = undefined;
      await app.start();
    },
    restart: () => {
      tryPath = undefined;
      return app.restart();
    },
    stop: async () => {
      await app.stop();
    },
  };
}
