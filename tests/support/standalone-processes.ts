import { fileURLToPath } from 'node:url';
import { Child, freePort, HttpClient, until } from '@chat-realtime/testkit';

const MAIN = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));
export const STOP_MS = 20_000;

export interface StartedChat {
  readonly child: Child;
  readonly http: HttpClient;
  /** From the command to the line that says it is running. */
  readonly ms: number;
  /** Of the demo's accounts; a chat without a demo prints none. */
  readonly password: string;
}

/** What `npm start` runs, as processes of their own on folders of their own. */
export class StandaloneProcesses {
  readonly #running: Child[] = [];
  readonly #clients: HttpClient[] = [];

  launch(dataDir: string, env: Record<string, string>, args: string[] = []): Child {
    const child = new Child({
      name: 'standalone',
      command: process.execPath,
      args: [MAIN, ...args],
      env: { PATH: process.env['PATH'] ?? '', DATA_DIR: dataDir, ...env },
    });
    this.#running.push(child);
    return child;
  }

  async start(dataDir: string, args: string[] = [], env: Record<string, string> = {}): Promise<StartedChat> {
    const port = await freePort();
    const began = performance.now();
    const child = this.launch(dataDir, { PORT: String(port), ...env }, args);
    const http = new HttpClient(`http://127.0.0.1:${port}`);
    this.#clients.push(http);
    await until(() => (child.assertRunning(), child.output().includes('is running')), {
      // A machine that is busy with other suites is not wrong.
      timeoutMs: 90_000,
      what: 'the start line',
    });
    const ms = performance.now() - began;
    return { child, http, ms, password: /password (\S+)/.exec(child.output())?.[1] ?? '' };
  }

  async stopAll(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await Promise.all(this.#running.splice(0).map(async (child) => child.running && child.stop('SIGTERM', STOP_MS)));
  }
}
