// npm start of 0.1.0 with chats, files and operators, and then this version over its data folder: everything is as it was. Some minutes: it builds that release.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AppProcess,
  Customer,
  freePort,
  HttpClient,
  Staff,
  startProcess,
  tempFolder,
} from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { buildRelease, LAST_RELEASE } from '../support/release.ts';

const MAIN = 'apps/standalone/dist/main.js';
const HERE = fileURLToPath(new URL(`../../${MAIN}`, import.meta.url));
const PASSWORD = 'a password of before';
const FILE = 'a file of before: ä 😀\n';

/** What both versions say of a message, and neither may change. */
const messagesSchema = z.object({
  messages: z.array(
    z.object({
      id: z.number(),
      body: z.string(),
      sender_type: z.string(),
      sender_id: z.string().nullable().optional(),
      created_at: z.string(),
      client_message_id: z.string().nullable(),
      attachments: z.array(z.object({ id: z.string(), name: z.string(), size: z.number(), url: z.string() })),
    }),
  ),
});
const sessionsSchema = z.object({
  sessions: z.array(
    z.object({
      id: z.number(),
      status: z.string(),
      assigned_user_id: z.string().nullable(),
      last_seq: z.number(),
      created_at: z.string(),
      page_url: z.string().nullable(),
      contact: z.object({ name: z.string().nullable(), email: z.string().nullable(), phone: z.string().nullable() }),
      client_read_id: z.number(),
      staff_read_id: z.number(),
    }),
  ),
  next_page: z.unknown(),
});
/** Asked for each: a list of this version holds it no more. */
const attributesSchema = z.object({ attributes: z.record(z.string(), z.unknown()) });
const eventsSchema = z.object({ events: z.array(z.object({ seq: z.number(), type: z.string() })) });
const notesSchema = z.object({ notes: z.array(z.object({ id: z.number(), body: z.string() })) });
const callbacksSchema = z.object({
  callbacks: z.array(
    z.object({ id: z.number(), phone: z.string(), status: z.string(), comment: z.string().nullable() }),
  ),
});
const repliesSchema = z.object({ quick_replies: z.array(z.object({ shortcut: z.string(), text: z.string() })) });

let app: AppProcess;
let http: HttpClient;
let base: string;
const folder = tempFolder('carried-over');

async function start(main: string, cwd: string): Promise<void> {
  base = `http://127.0.0.1:${await freePort()}`;
  app = await startProcess({
    name: main === HERE ? 'standalone' : 'standalone 0.1.0',
    args: [main],
    cwd,
    env: {
      PORT: new URL(base).port,
      DATA_DIR: folder,
      ...(main === HERE ? {} : { OPERATOR_PASSWORD: PASSWORD }),
    },
    ready: `${base}/readyz`,
    readyTimeoutMs: 180_000,
  });
  http = new HttpClient(base);
}

/** Everything that people have written and decided, as the version that runs shows it to an admin. */
async function everything() {
  const admin = await Staff.login(http, 'admin', PASSWORD);
  const read = async <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
    (await admin.request('GET', path)).as(schema);
  const { sessions } = await read('/chat/sessions?limit=100', sessionsSchema);
  sessions.sort((a, b) => a.id - b.id);
  const chats = [];
  for (const session of sessions) {
    const { messages } = await read(`/chat/session/${session.id}/messages?limit=100`, messagesSchema);
    const files = [];
    for (const { url } of messages.flatMap(({ attachments }) => attachments)) {
      const { pathname, search } = new URL(url, base);
      const file = await http.get(pathname + search);
      files.push(`${file.status} ${file.text}`);
    }
    const said = messages.map(({ attachments, ...message }) => ({
      ...message,
      attachments: attachments.map(({ id, name, size }) => ({ id, name, size })),
    }));
    const { events } = await read(`/chat/session/${session.id}/events?limit=500`, eventsSchema);
    const { notes } = await read(`/chat/session/${session.id}/notes`, notesSchema);
    const { attributes } = await read(`/chat/session/${session.id}`, attributesSchema);
    chats.push({ session, attributes, messages: said, files, events, notes });
  }
  return {
    chats,
    ...(await read('/chat/callbacks', callbacksSchema)),
    ...(await read('/chat/quick-replies', repliesSchema)),
    me: (await admin.request('GET', '/auth/me')).as(z.object({ id: z.string(), login: z.string(), role: z.string() })),
  };
}

beforeAll(async () => {
  const release = buildRelease(LAST_RELEASE);
  await start(join(release, MAIN), release);
}, 900_000);
afterAll(() => app.stop());

test('[OPS35] chats, files, operators and keys of 0.1.0 are migrated and keep working', {
  timeout: 600_000,
}, async () => {
  const anna = await Staff.login(http, 'anna', PASSWORD);
  const admin = await Staff.login(http, 'admin', PASSWORD);
  const customer = await Customer.create(http, { name: 'Вера "0.1.0"', attributes: { order: 7 } });
  await customer.post('line\none \\ "quoted" 🙂 \u2028');
  const { id } = await customer.uploaded('note ä.txt', Buffer.from(FILE));
  await customer.post('look', { attachments: [id] });
  expect((await anna.request('POST', `${customer.path}/assign`, { json: {} })).status).toBe(200);
  await anna.post(customer.sessionId, 'an answer of before');
  await anna.note(customer.sessionId, 'a note of before');
  const called = await http.post('/chat/callback', { json: { phone: '+79161234567', consent: true, comment: 'soon' } });
  expect(called.status).toBe(201);
  const reply = { shortcut: 'before', title: 'Before', text: 'A reply of before' };
  expect((await admin.request('POST', '/chat/quick-replies', { json: reply })).status).toBe(201);
  const before = await everything();
  expect(before.chats.flatMap(({ files }) => files)).toEqual([`200 ${FILE}`]);
  expect(before.chats.length).toBeGreaterThan(1);
  const refresh = (await http.post('/auth/login', { json: { login: 'boris', password: PASSWORD } })).json() as {
    refresh_token: string;
  };
  await app.stop();

  await start(HERE, fileURLToPath(new URL('../..', import.meta.url)));
  expect(existsSync(join(folder, 'database/pgdata-of-0.1.0'))).toBe(true);
  expect(await everything()).toEqual(before);
  // What people hold goes on opening what is theirs: the customer's token and key, an operator's sign-in.
  customer.http.close();
  const same = new Customer(http, customer.sessionId, customer.token, customer.resumeKey);
  expect((await same.messages()).messages.map(({ body }) => body)).toContain('an answer of before');
  const resumed = await http.post('/chat/session', { json: { resume_key: customer.resumeKey } });
  expect(resumed.status).toBe(200);
  const refreshed = await http.post('/auth/refresh', { json: { refresh_token: refresh.refresh_token } });
  expect(refreshed.status, refreshed.text).toBe(200);
  const said = await same.post('and after it');
  const { messages } = await same.messages();
  expect(messages.at(-1)).toMatchObject({ id: said.id, body: 'and after it' });
  expect(new Set(messages.map(({ id }) => id)).size).toBe(messages.length);
  // A later start carries nothing over, and has it all.
  await app.restart();
  expect((await same.messages()).messages.at(-1)?.body).toBe('and after it');
});
