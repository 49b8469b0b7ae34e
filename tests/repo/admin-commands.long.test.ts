// `trace`, `drain` and `probe` typed as the documents say, beside real services and beside a chat in one process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  Customer,
  HttpClient,
  type PostgresServer,
  type Stack,
  startPostgres,
  startStack,
  tempFolder,
  until,
  WebSocketClient,
} from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StandaloneProcesses } from '../support/standalone-processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DRAIN_SECONDS = 2;
const LIMIT_MS = 180_000;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `npm run --silent <script> -- <args>`: without what npm does before it, which is a setup that has been made. */
async function npmRun(script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn('npm', ['run', '--silent', '--ignore-scripts', script, '--', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

/** A customer's message that came to a socket, was acknowledged and read there. */
async function deliver(url: string): Promise<{ sessionId: string; socket: WebSocketClient; http: HttpClient }> {
  const http = new HttpClient(url);
  const customer = await Customer.create(http);
  const query = { session: customer.sessionId, token: customer.token, last_seq: 0 };
  const socket = await WebSocketClient.ready(url, { query });
  const { id } = await customer.post('private words');
  await socket.waitFor((frame) => frame.seq === 2);
  socket.send({ type: 'ack', last_id: id });
  return { sessionId: String(customer.sessionId), socket, http };
}

interface Traced {
  readonly hops: readonly { readonly hop: string; readonly where: string; readonly sockets?: number }[];
  readonly silent: readonly string[];
}

/** An acknowledgement is written with others, some time later. */
async function tracedWhole(sessionId: string, env: Readonly<Record<string, string>>): Promise<Traced> {
  return until(
    async () => {
      const { code, out, err } = await npmRun('trace', [sessionId, '2', '--json'], env);
      expect([code, err]).toEqual([0, '']);
      const traced: Traced = JSON.parse(out);
      return traced.hops.some(({ hop }) => hop === 'acked') ? traced : undefined;
    },
    { timeoutMs: 60_000, everyMs: 500, what: 'the acknowledgement in the trace' },
  );
}

describe('beside the services', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ env: { DRAIN_SECONDS: String(DRAIN_SECONDS) } });
  }, LIMIT_MS);
  afterAll(() => stack.stop());
  const environment = (): Record<string, string> => ({
    DATABASE_URL: stack.postgres.url,
    INTERNAL_API_KEY: stack.env['INTERNAL_API_KEY'] ?? '',
    TRACE_PEERS: [stack.addresses.chat, stack.addresses.dispatcher, ...stack.addresses.gateways].join(),
  });

  it('[TRC3] `npm run trace` prints every step of a message, from the commit to the acknowledgement', {
    timeout: LIMIT_MS,
  }, async () => {
    const { sessionId, socket, http } = await deliver(stack.url);
    const { hops, silent } = await tracedWhole(sessionId, environment());
    expect(silent).toEqual([]);
    const steps = hops.map(({ hop }) => hop);
    for (const step of ['stored', 'relayed', 'dispatched', 'published', 'written', 'acked'])
      expect(steps, JSON.stringify(hops)).toContain(step);
    expect(hops.find(({ hop }) => hop === 'written')).toMatchObject({ sockets: 1 });
    const { out, err } = await npmRun('trace', [sessionId, '2'], environment());
    expect(err).toBe('reading the database and asking 4 processes …\n');
    expect(out).toContain(`session ${sessionId}, seq 2: chat.message`);
    expect(out).not.toContain('private words');
    await socket.close();
    http.close();
  });

  it('[DRN3] `admin drain` empties a gateway while clients are connected, which continue on the other one', {
    timeout: LIMIT_MS,
  }, async () => {
    const [first = ''] = stack.addresses.gateways;
    const http = new HttpClient(stack.url);
    const customer = await Customer.create(http);
    const query = { session: customer.sessionId, token: customer.token, last_seq: 0 };
    const sockets = await Promise.all(Array.from({ length: 3 }, () => WebSocketClient.ready(first, { query })));
    const { code, out, err } = await npmRun('admin', ['drain', first], environment());
    expect(err).toMatch(/^asking http.*\nsending [3-9] clients of .* to the other gateways, over 2 s/m);
    expect(err).toContain('  0 left');
    expect([code, out]).toEqual([0, expect.stringMatching(/^Empty after /)]);
    for (const socket of sockets) expect(await socket.closed(20_000)).toMatchObject({ code: 1012 });
    // Nobody new is let in, and nginx finds the other one.
    const elsewhere = await WebSocketClient.ready(stack.url, { query });
    await customer.post('at the other one');
    await elsewhere.waitFor((frame) => frame.seq === 2);
    await elsewhere.close();
    http.close();
    const again = await npmRun('admin', ['drain', first, '--json'], environment());
    expect([again.code, again.err, JSON.parse(again.out).left]).toEqual([0, '', 0]);
    await stack.gateways[0]?.restart();
  });

  it('[OPS38] `admin probe --once` reports the time for each transport and side, and what failed', {
    timeout: LIMIT_MS,
  }, async () => {
    const env = { PROBE_URL: stack.url, PROBE_LOGIN: 'anna', PROBE_PASSWORD: stack.password };
    const { code, out, err } = await npmRun('admin', ['probe', '--once'], env);
    expect([code, err]).toEqual([0, expect.stringMatching(/^posting as a customer and as an operator/)]);
    const lines = out.trim().split('\n');
    expect(lines.map((line) => line.split('\t').slice(0, 2).join(' ')).sort()).toEqual([
      ...['poll customer', 'poll operator', 'sse customer', 'sse operator', 'websocket customer', 'websocket operator'],
    ]);
    for (const line of lines) expect(line).toMatch(/\t\d+ ms\t\d+ ms$/);
    const programs = await npmRun('admin', ['probe', '--once', '--json'], env);
    expect([programs.code, programs.err]).toEqual([0, '']);
    expect(JSON.parse(programs.out)).toMatchObject({ ok: true, failure: null });

    const wrong = await npmRun('admin', ['probe', '--once', '--json'], { ...env, PROBE_PASSWORD: 'another' });
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.out)).toMatchObject({ ok: false, failure: '/auth/login: status 401' });
  });
});

describe('beside a chat in one process', () => {
  const processes = new StandaloneProcesses();
  const dataDir = tempFolder('admin-commands');
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, LIMIT_MS);
  afterAll(async () => {
    await processes.stopAll();
    await postgres.stop();
  }, LIMIT_MS);

  it('[TRC3] `npm run trace` queries it on the socket in its data folder', { timeout: LIMIT_MS }, async () => {
    const database = { DATABASE_URL: postgres.url, DATA_DIR: dataDir };
    const { http } = await processes.start(dataDir, [], { DATABASE_URL: postgres.url });
    const { sessionId, socket } = await deliver(http.baseUrl);
    const { hops, silent } = await tracedWhole(sessionId, database);
    expect(silent).toEqual([]);
    for (const step of ['stored', 'published', 'written', 'acked']) expect(hops.map(({ hop }) => hop)).toContain(step);
    await socket.close();
  });
});
