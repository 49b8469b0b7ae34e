// npm start where all its processes together may use 512 MB, with 200 customers who write and send pictures: nothing is killed. Linux, as root. Two minutes.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Customer,
  freePort,
  HttpClient,
  startProcess,
  tempFolder,
  until,
  WebSocketClient,
} from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));
const LIMIT = 512 * 1_024 * 1_024;
const CUSTOMERS = 200;
const ROUNDS = 5;
const PICTURE = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(1_000_000)]);

/** A control group of version 1 or 2 whose processes may use `LIMIT` bytes, page cache and all, and no swap. */
class SmallMachine {
  readonly #v1 = existsSync('/sys/fs/cgroup/memory/cgroup.procs');
  readonly #folder = join(this.#v1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup', `chat-small-${process.pid}`);

  open(): void {
    if (!this.#v1) writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+memory');
    mkdirSync(this.#folder);
    this.#write(this.#v1 ? 'memory.limit_in_bytes' : 'memory.max', LIMIT);
    // Version 1 counts swap with the rest, and kernels without swap accounting have no such file.
    const swap = this.#v1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max';
    if (existsSync(join(this.#folder, swap))) this.#write(swap, this.#v1 ? LIMIT : 0);
  }

  /** A shell line that runs `command` inside. */
  enter(command: string): string {
    return `echo $$ > ${this.#folder}/cgroup.procs && exec ${command}`;
  }

  get kills(): number {
    const file = this.#read(this.#v1 ? 'memory.oom_control' : 'memory.events');
    return Number(/^oom_kill (\d+)/m.exec(file)?.[1]);
  }

  /** Bytes that its processes hold and nobody could take from them, as of now. */
  get held(): number {
    return Number(new RegExp(`^${this.#v1 ? 'total_rss' : 'anon'} (\\d+)`, 'm').exec(this.#read('memory.stat'))?.[1]);
  }

  close(): void {
    rmdirSync(this.#folder);
  }

  #read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  #write(file: string, value: number): void {
    writeFileSync(join(this.#folder, file), String(value));
  }
}

const machine = new SmallMachine();
beforeAll(() => machine.open());
afterAll(() => machine.close());

it('[OPS31] runs in 512 MB', async () => {
  const base = `http://127.0.0.1:${await freePort()}`;
  const app = await startProcess({
    name: 'standalone',
    command: '/bin/sh',
    args: ['-c', machine.enter(`"${process.execPath}" "${MAIN}"`)],
    env: {
      PORT: new URL(base).port,
      DATA_DIR: tempFolder('small-machine'),
      RATE_CONNECT_PER_10S: '0',
      RATE_SESSIONS_PER_MINUTE: '0',
      RATE_MESSAGES_PER_MINUTE: '0',
    },
    ready: /is running/,
    readyTimeoutMs: 120_000,
  });
  const http = new HttpClient(base);
  let most = 0;
  const look = (): void => {
    most = Math.max(most, machine.held);
    expect(machine.kills).toBe(0);
    app.assertAlive();
  };
  try {
    const visitors: { customer: Customer; socket: WebSocketClient }[] = [];
    for (let count = 0; count < CUSTOMERS; count += 1) {
      const customer = await Customer.create(http);
      const query = { session: customer.sessionId, token: customer.token };
      visitors.push({ customer, socket: await WebSocketClient.ready(base, { query }) });
    }
    look();
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(visitors.map(({ customer }) => customer.post(`round ${round}`)));
      for (const { customer } of visitors.slice(0, 20)) {
        const sent = await customer.upload('photo.png', PICTURE);
        expect(sent.status).toBe(201);
      }
      look();
    }
    for (const { customer, socket } of visitors) {
      const { last_seq } = await customer.events();
      await until(() => socket.log.durable().some(({ seq }) => seq === last_seq), { timeoutMs: 60_000 });
      socket.socket.terminate();
    }
    look();
    console.log(
      `held at most: ${Math.round(most / 1_024 / 1_024)} MB of ${LIMIT / 1_024 / 1_024}, ${CUSTOMERS} customers`,
    );
  } finally {
    http.close();
    await app.stop();
  }
});
