// Backup and restore under traffic on the stack: one moment is kept whole, every client is told, customers and staff alike, revocations hold. About a minute.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  Customer,
  HttpClient,
  sleep,
  Staff,
  type Stack,
  startStack,
  tempFolder,
  until,
  WebSocketClient,
} from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ADMIN = fileURLToPath(new URL('../../apps/standalone/dist/admin/main.js', import.meta.url));
const CUSTOMERS = 20;
const TRAFFIC_MS = 3_000;
/** A head check, and the time over which clients are sent back. */
const NOTICED_MS = 30_000;

let stack: Stack;
let http: HttpClient;
beforeAll(async () => {
  const off = { RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' };
  stack = await startStack({ env: { ...off, LOG_LEVEL: 'warn' } });
  http = new HttpClient(stack.url);
}, 120_000);
afterAll(async () => {
  http.close();
  await stack.stop();
});

async function admin(...args: string[]): Promise<Record<string, unknown>> {
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: stack.postgres.url,
    RABBITMQ_URL: stack.rabbit.url,
    DATA_DIR: tempFolder('files'),
  };
  const child = spawn(process.execPath, [ADMIN, ...args, '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const [code] = await once(child, 'close');
  expect([args[0], code]).toEqual([args[0], 0]);
  const answer: Record<string, unknown> = JSON.parse(out);
  return answer;
}

/** Everybody writes until told to stop; a refusal while the database is replaced is no failure, a lost answer neither. */
class Traffic {
  #running = true;
  readonly #writers: Promise<void>[];
  posted = 0;
  refused = 0;

  constructor(customers: readonly Customer[]) {
    this.#writers = customers.map(async (customer) => {
      while (this.#running) {
        const answer = await customer
          .request('POST', '/messages', { json: { body: 'on and on', client_message_id: crypto.randomUUID() } })
          .catch(() => null);
        if (answer?.status === 201) this.posted += 1;
        else this.refused += 1;
        await sleep(50);
      }
    });
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#writers);
  }
}

const bearer = ({ token }: Customer): string[] => ['chat.v1', `bearer.${token}`];
async function watching(customer: Customer): Promise<{ client: WebSocketClient; epoch: unknown }> {
  const client = await WebSocketClient.open(stack.url, {
    query: { session: customer.sessionId },
    protocols: bearer(customer),
  });
  const ready = await client.log.waitFor((frame) => frame.type === 'channel.ready', { label: 'channel.ready' });
  return { client, epoch: ready.data['epoch'] };
}

test('[RES10] [REV1] brings back one moment, tells everybody, and lets nobody in again', {
  timeout: 300_000,
}, async () => {
  const customers: Customer[] = [];
  for (let index = 0; index < CUSTOMERS; index += 1)
    customers.push(await Customer.create(http, { name: `customer ${index}` }));
  const anna = await Staff.login(http, 'anna', stack.password);
  const [shutOut] = customers;
  if (shutOut === undefined) throw new Error('nobody is there');

  const before = new Traffic(customers);
  await sleep(TRAFFIC_MS);
  const folder = tempFolder('backup');
  const backup = await admin('backup', folder);
  await sleep(TRAFFIC_MS);
  await before.stop();
  const headsBefore = await Promise.all(customers.map(async (customer) => (await customer.session()).last_seq));

  // After the backup: somebody is shut out, and a chat begins that will not have been.
  expect((await anna.request('POST', `/chat/session/${shutOut.sessionId}/revoke`)).status).toBe(204);
  const lost = await Customer.create(http, { name: 'begins after the backup' });
  const others = customers.slice(1);
  const watchers = await Promise.all(others.map(watching));
  const desk = await WebSocketClient.ready(stack.url, {
    query: { type: 'staff' },
    protocols: ['chat.v1', `bearer.${anna.token}`],
  });
  const during = new Traffic(others);
  const restored = await admin('restore', folder, '--yes');
  await sleep(TRAFFIC_MS);
  await during.stop();
  console.log(
    `backup ${JSON.stringify(backup['rows'])}\nrestore: ${before.posted} + ${during.posted} posted, ${during.refused} refused meanwhile`,
  );

  expect(restored['epoch']).not.toBe(restored['previous_epoch']);
  expect(restored['revocations_carried_over']).toBe(1);
  // Everybody who was connected is sent away and finds another epoch.
  await Promise.all(
    [desk, ...watchers.map(({ client }) => client)].map((client) =>
      client.log.waitFor(({ type }) => type === 'channel.goodbye', { label: 'goodbye', timeoutMs: NOTICED_MS }),
    ),
  );
  const again = await until(
    async () => {
      const seen = await Promise.all(others.map(watching));
      for (const { client } of seen) client.terminate();
      return seen.every(({ epoch }) => epoch === restored['epoch']) ? seen : undefined;
    },
    { timeoutMs: NOTICED_MS, what: 'the new epoch on every connection' },
  );
  expect(again.map(({ epoch }) => epoch)).not.toContain(watchers[0]?.epoch);
  for (const { client } of watchers) client.terminate();
  desk.terminate();

  // One moment: what is there is whole, and no longer than it was when everybody stopped, but for what came since. A post that was
  // not answered may have come.
  expect(await admin('verify')).toMatchObject({ ok: true });
  let [length, lengthBefore] = [0, 0];
  for (const [index, customer] of others.entries()) {
    const { last_seq: head } = await customer.session();
    const { events } = await customer.events({ limit: 500 });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, place) => place + 1));
    expect(head).toBeGreaterThan(0);
    length += head;
    lengthBefore += headsBefore[index + 1] ?? 0;
  }
  expect(length).toBeLessThanOrEqual(lengthBefore + during.posted + during.refused);
  // Whoever was shut out stays out, and the token of the chat that is gone opens no other one.
  expect((await shutOut.request('GET', '')).status).toBe(401);
  expect([401, 404]).toContain((await lost.request('GET', '')).status);
  const newcomer = await Customer.create(http);
  expect(newcomer.sessionId).toBeGreaterThan(lost.sessionId);
});
