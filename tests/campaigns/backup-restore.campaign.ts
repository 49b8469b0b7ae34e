// Backup and restore under traffic on the stack: one moment is kept whole with its files, every client is told and shows it,
// customers on each transport and the console alike, revocations hold. About a minute.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
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
import { eventsResponseSchema } from '@chat-realtime/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChatClient, createChatClient, type TransportName } from '../../clients/sdk/dist/index.js';
import { createStaffClient, type StaffClient } from '../../clients/sdk/dist/staff.js';

const ADMIN = fileURLToPath(new URL('../../apps/standalone/dist/admin/main.js', import.meta.url));
const CUSTOMERS = 20;
const TRAFFIC_MS = 3_000;
/** A head check, and the time over which clients are sent back. */
const NOTICED_MS = 30_000;

/** Where chat-service keeps attachments, as its volume does. */
const files = tempFolder('files');

let stack: Stack;
let http: HttpClient;
beforeAll(async () => {
  const off = { RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' };
  stack = await startStack({
    env: { ...off, LOG_LEVEL: 'warn' },
    serviceEnv: { 'chat-service': { DATA_DIR: files } },
  });
  http = new HttpClient(stack.url);
});
afterAll(async () => {
  http.close();
  await stack.stop();
});

async function admin(...args: string[]): Promise<Record<string, unknown>> {
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: stack.postgres.url,
    RABBITMQ_URL: stack.rabbit.url,
    DATA_DIR: files,
  };
  const child = spawn(process.execPath, [ADMIN, ...args, '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const [code] = await once(child, 'close');
  expect([args[0], code]).toEqual([args[0], 0]);
  const answer: Record<string, unknown> = JSON.parse(out);
  return answer;
}

/**
 * Everybody writes until told to stop; a refusal while the database is replaced is no failure, a lost answer neither.
 */
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

/** What people look at: the widget's client on each transport, and the console's. */
const TRANSPORTS: readonly TransportName[] = ['websocket', 'sse', 'poll'];
const FILE = Buffer.from('what the customer sent along');

class Onlookers {
  readonly customers: readonly ChatClient[];
  readonly console: StaffClient;
  readonly #anna: Staff;

  constructor(anna: Staff) {
    this.#anna = anna;
    const baseUrl = stack.url;
    this.customers = TRANSPORTS.map((transport) => createChatClient({ baseUrl, tabs: false, transports: [transport] }));
    this.console = createStaffClient({ baseUrl, tabs: false, getToken: async () => ({ token: anna.token }) });
    this.console.connect();
  }

  /** Each customer writes, and the operator answers each in the console; all of it is stored. */
  async say(text: string): Promise<void> {
    for (const [index, customer] of this.customers.entries()) {
      await customer.send(`${text}, ${TRANSPORTS[index]}`).stored;
      await this.console.conversation(this.idOf(customer)).send(`${text}, the operator`, { expectedSeq: null }).stored;
    }
  }

  idOf(customer: ChatClient): number {
    const id = customer.getState().session?.id;
    if (id === undefined) throw new Error('the chat has not begun');
    return id;
  }

  /** Waits until everybody, on both sides, shows exactly what the database has. */
  async showWhatIsThere(): Promise<string[][]> {
    const all: string[][] = [];
    for (const customer of this.customers) {
      const id = this.idOf(customer);
      let stored: string[] = [];
      await until(
        async () => {
          stored = await this.stored(id);
          const shown = [customer, this.console.conversation(id)].map((side) =>
            side.getState().messages.map(({ body }) => body),
          );
          return shown.every((bodies) => JSON.stringify(bodies) === JSON.stringify(stored));
        },
        { timeoutMs: NOTICED_MS, what: `what the database has of session ${id}, on both sides` },
      );
      all.push(stored);
    }
    return all;
  }

  async stored(sessionId: number): Promise<string[]> {
    const answer = await this.#anna.request('GET', `/chat/session/${sessionId}/events?limit=500`);
    const { events } = answer.as(eventsResponseSchema);
    return events.flatMap((event) => (event.type === 'chat.message' ? [event.data.body] : []));
  }

  end(): void {
    for (const customer of this.customers) customer.destroy();
    this.console.destroy();
  }
}

test('[RES10] [REV1] restores one moment, informs every client, and keeps revocations', {
  timeout: 300_000,
}, async () => {
  const customers: Customer[] = [];
  for (let index = 0; index < CUSTOMERS; index += 1)
    customers.push(await Customer.create(http, { name: `customer ${index}` }));
  const anna = await Staff.login(http, 'anna', stack.password);
  const [shutOut] = customers;
  if (shutOut === undefined) throw new Error('nobody is there');

  const onlookers = new Onlookers(anna);
  await onlookers.say('before the backup');
  const [sender] = onlookers.customers;
  if (sender === undefined) throw new Error('nobody is there');
  const sent = await sender.upload({ name: 'note.txt', bytes: FILE });
  const { id: withFile } = await sender.send('with a file', [sent]).stored;
  const kept = await onlookers.showWhatIsThere();

  const before = new Traffic(customers);
  await sleep(TRAFFIC_MS);
  const folder = tempFolder('backup');
  const backup = await admin('backup', folder);
  expect(backup['attachments']).toMatchObject({ copied: 1, missing: 0 });
  await sleep(TRAFFIC_MS);
  await before.stop();
  const headsBefore = await Promise.all(customers.map(async (customer) => (await customer.session()).last_seq));

  // Its files are lost with the machine, and what is said from now on will not have been.
  await rm(join(files, 'attachments'), { recursive: true });
  await onlookers.say('after the backup');
  expect((await onlookers.showWhatIsThere()).map(({ length }) => length)).toEqual(kept.map(({ length }) => length + 2));
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
  expect(restored['attachments']).toMatchObject({ copied: 1 });
  // Every client took a snapshot: it shows what the backup has, on both sides, and goes on from there. A poll names no
  // epoch; there the cursor beyond the head tells.
  expect(await onlookers.showWhatIsThere()).toEqual(kept);
  const { url } = await sender.attachment(withFile, sent.id);
  const file = await fetch(new URL(url ?? '', stack.url));
  expect([file.status, Buffer.from(await file.arrayBuffer())]).toEqual([200, FILE]);
  const streaming = onlookers.customers.slice(0, 2);
  expect([...streaming, onlookers.console].map((client) => client.getState().epoch)).toEqual(
    Array.from({ length: 3 }, () => restored['epoch']),
  );
  await onlookers.say('after the restore');
  expect((await onlookers.showWhatIsThere()).map(({ length }) => length)).toEqual(kept.map(({ length }) => length + 2));
  onlookers.end();
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

  // One moment: what is there is whole, and no longer than it was when everybody stopped, but for what came since. A
  // post that was not answered may have come.
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
