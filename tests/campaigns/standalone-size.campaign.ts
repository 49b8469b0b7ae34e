// The memory of npm start, its whole process tree, idle with demo data and with 200 customers; and how soon it is up. A minute.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type AppProcess,
  Customer,
  freePort,
  HttpClient,
  processTree,
  sleep,
  startProcess,
  tempFolder,
  WebSocketClient,
} from '@chat-realtime/testkit';
import { expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);
const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { scripts: { start: string } };
/** As `npm start` starts it. */
const [, ...ARGS] = scripts.start.replace('apps/', fileURLToPath(new URL('apps/', ROOT))).split(' ');
const CUSTOMERS = 200;
const IDLE_MB = 220;
const BUSY_MB = 260;
const FIRST_START_MS = 6_000;
const LATER_START_MS = 3_000;
/** A start leaves garbage, which the first quiet seconds collect. */
const QUIET_MS = 20_000;

/** Proportional: what several processes share counts once. */
function memoryOf(app: AppProcess): { megabytes: number; processes: number } {
  const pids = processTree(app.pid);
  const kilobytes = pids.map((pid) =>
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]),
  );
  return { megabytes: Math.round(kilobytes.reduce((sum, one) => sum + one, 0) / 1_024), processes: pids.length };
}

it('is small, and starts at once', async () => {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const off = { RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' };
  const from = performance.now();
  const app = await startProcess({
    name: 'standalone',
    args: ARGS,
    env: { PORT: String(port), DATA_DIR: tempFolder('standalone-size'), ...off },
    ready: /is running/,
    readyTimeoutMs: 90_000,
  });
  const http = new HttpClient(base);
  try {
    const firstMs = performance.now() - from;
    const stopped = performance.now();
    await app.stop();
    const stopMs = performance.now() - stopped;
    const again = performance.now();
    await app.start();
    const laterMs = performance.now() - again;
    await sleep(QUIET_MS);
    const idle = memoryOf(app);

    const sockets: WebSocketClient[] = [];
    for (let count = 0; count < CUSTOMERS; count += 1) {
      const customer = await Customer.create(http);
      const query = { session: customer.sessionId, token: customer.token };
      const socket = await WebSocketClient.ready(base, { query });
      await customer.post('Здравствуйте!');
      sockets.push(socket);
    }
    await sleep(QUIET_MS);
    const busy = memoryOf(app);
    const ms = (value: number): string => `${(value / 1_000).toFixed(1)} s`;
    console.log(
      `first start ${ms(firstMs)}, later ${ms(laterMs)}, stop ${ms(stopMs)}; idle ${idle.megabytes} MB in ${idle.processes} processes, with ${CUSTOMERS} customers ${busy.megabytes} MB in ${busy.processes}`,
    );
    for (const socket of sockets) socket.socket.terminate();
    expect(idle.megabytes).toBeLessThanOrEqual(IDLE_MB);
    expect(busy.megabytes).toBeLessThanOrEqual(BUSY_MB);
    expect(firstMs).toBeLessThan(FIRST_START_MS);
    expect(laterMs).toBeLessThan(LATER_START_MS);
  } finally {
    http.close();
    await app.stop();
  }
});
