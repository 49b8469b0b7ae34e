import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  type AppProcess,
  Customer,
  freePort,
  HttpClient,
  sleep,
  SERVICE_FLAGS,
  startProcess,
  tempFolder,
  until,
} from '@chat-realtime/testkit';

const MAIN = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));
const WRITERS = 4;
/** Long enough for some hundred messages, so that a kill meets a commit. */
const TRAFFIC_MS = 1_500;
/** On a slow machine the kill waits until so many messages were answered since the last one. */
const LEAST_BETWEEN = 25;

export interface KillFigures {
  readonly kills: number;
  readonly acknowledged: number;
  /** Answered with 2xx and not in the history, or there more than once, or in another order. Empty, or the promise is broken. */
  readonly broken: readonly string[];
  readonly restartMs: readonly number[];
}

/** Kills `npm start` with all that belongs to it, under traffic, again and again, and compares answers with the history. */
export async function killStandalone(kills: number): Promise<KillFigures> {
  const port = await freePort();
  const app = await startProcess({
    name: 'standalone',
    args: [...SERVICE_FLAGS, MAIN],
    env: {
      PORT: String(port),
      DEMO: 'on',
      DATA_DIR: tempFolder('standalone-kill'),
      LOG_LEVEL: 'error',
      RATE_SESSIONS_PER_MINUTE: '0',
      RATE_MESSAGES_PER_MINUTE: '0',
    },
    ready: `http://127.0.0.1:${port}/readyz`,
    readyTimeoutMs: 90_000,
  });
  const http = new HttpClient(`http://127.0.0.1:${port}`);
  try {
    const writers = await Promise.all(Array.from({ length: WRITERS }, () => Writer.begin(http)));
    const acknowledged = (): number => writers.reduce((sum, writer) => sum + writer.acknowledged.length, 0);
    const restartMs: number[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      const enough = acknowledged() + LEAST_BETWEEN;
      await sleep(TRAFFIC_MS * (0.5 + Math.random()));
      await until(() => acknowledged() >= enough, { timeoutMs: 60_000, everyMs: 5, what: 'traffic to kill under' });
      restartMs.push(await killAndStart(app));
    }
    await Promise.all(writers.map((writer) => writer.end()));
    const broken = (await Promise.all(writers.map((writer) => writer.compare()))).flat();
    return { kills, acknowledged: acknowledged(), broken, restartMs };
  } finally {
    http.close();
    await app.stop();
  }
}

async function killAndStart(app: AppProcess): Promise<number> {
  await app.kill();
  const from = performance.now();
  await app.start();
  return Math.round(performance.now() - from);
}

/** A customer who writes one message after the other, and repeats each until it is answered. */
class Writer {
  readonly acknowledged: string[] = [];
  readonly #customer: Customer;
  readonly #writing: Promise<void>;
  #ending = false;

  private constructor(customer: Customer) {
    this.#customer = customer;
    this.#writing = this.#write();
  }

  static async begin(http: HttpClient): Promise<Writer> {
    return new Writer(await Customer.create(http));
  }

  async end(): Promise<void> {
    this.#ending = true;
    await this.#writing;
  }

  async #write(): Promise<void> {
    for (let count = 1; !this.#ending; count += 1) {
      const body = `message ${count}`;
      const clientMessageId = randomUUID();
      for (;;) {
        // Cut off in the middle, or refused because nobody listens.
        const stored = await this.#customer.post(body, { clientMessageId }).catch(() => null);
        if (stored !== null) break;
        await sleep(20);
      }
      this.acknowledged.push(body);
    }
  }

  async compare(): Promise<string[]> {
    const stored: string[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page = await this.#customer.messages({ after_id: after, limit: 500 });
      stored.push(...page.messages.map(({ body }) => body));
      after = page.has_more ? page.messages.at(-1)?.id : undefined;
    }
    const length = Math.max(stored.length, this.acknowledged.length);
    const first = Array.from({ length }, (_, index) => index).find(
      (index) => stored[index] !== this.acknowledged[index],
    );
    if (first === undefined) return [];
    const { sessionId } = this.#customer;
    return [`session ${sessionId}, message ${first}: answered ${this.acknowledged[first]}, stored ${stored[first]}`];
  }
}
