// This version and the next on one schema: the next migrates under traffic, this one is killed and started again on it. About two minutes.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AppProcess,
  Customer,
  freePort,
  HttpClient,
  type PostgresServer,
  startPostgres,
  startProcess,
  sleep,
  startRabbit,
  tempFolder,
} from '@chat-realtime/testkit';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nextVersion } from '../support/next-version.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NEWEST = readdirSync(join(ROOT, 'libs/database/migrations')).sort().at(-1)?.replace('.sql', '') ?? '';
const SECRET = 'k1:0123456789abcdef0123456789abcdef';
const NEWER = 'the database schema is newer, and compatible with this version';

const LIVES = `-- lives-with: ${NEWEST}\n`;
const ADDITIONS = {
  '9000_expand': `${LIVES}ALTER TABLE chat_session ADD COLUMN next_note text;\nCREATE TABLE next_table (id bigint PRIMARY KEY);\n`,
  '9001_index': `${LIVES}-- transaction: none\nCREATE INDEX CONCURRENTLY chat_event_next ON chat_event (created_at);\n`,
};
const next = nextVersion('next-version', ADDITIONS);
const afterNext = nextVersion('version-after-next', {
  ...ADDITIONS,
  '9002_contract': '-- lives-with: none\nDROP TABLE next_table;\n',
});
const own = { main: (app: string, file = 'main.js') => join(ROOT, 'apps', app, 'dist', file) };

let postgres: PostgresServer;
let rabbitUrl: string;
const running: { stop(): Promise<unknown> }[] = [];
const keep = <T extends { stop(): Promise<unknown> }>(part: T): T => {
  running.push(part);
  return part;
};
const data = tempFolder('side-by-side');

beforeAll(async () => {
  postgres = keep(await startPostgres({ durable: false }));
  const rabbit = keep(await startRabbit());
  rabbitUrl = rabbit.url;
});
afterAll(async () => {
  for (const part of running.reverse()) await part.stop();
});

interface Started {
  readonly process: AppProcess;
  readonly url: string;
}
async function start(version: typeof own, app: 'auth-service' | 'chat-service', authUrl?: string): Promise<Started> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const process = await startProcess({
    name: app,
    args: [version.main(app)],
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      DATABASE_URL: postgres.url,
      CHAT_TOKEN_SECRETS: SECRET,
      OPERATOR_PASSWORD: 'a password',
      RABBITMQ_URL: rabbitUrl,
      DATA_DIR: data,
      AUTH_JWKS_URL: `${authUrl ?? url}/.well-known/jwks.json`,
      INTERNAL_API_KEY: 'internal-key-0123456789',
      LOG_LEVEL: 'info',
      RATE_MESSAGES_PER_MINUTE: '100000',
    },
    ready: `${url}/readyz`,
    readyTimeoutMs: 60_000,
  });
  return { process: keep(process), url };
}

function admin(version: typeof own, ...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [version.main('standalone', 'admin/main.js'), ...args],
    {
      env: { PATH: process.env['PATH'], DATABASE_URL: postgres.url },
      encoding: 'utf8',
    },
  );
  return { status, out: stdout, err: stderr };
}

async function rows<R extends pg.QueryResultRow>(text: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  const found = await client.query<R>(text).finally(() => client.end());
  return found.rows;
}

async function signIn(authUrl: string): Promise<number> {
  const answer = await fetch(new URL('/auth/login', authUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: 'anna', password: 'a password' }),
  });
  return answer.status;
}

async function converse(url: string, name: string): Promise<void> {
  const http = new HttpClient(url);
  const customer = await Customer.create(http, { name });
  await customer.post('one');
  await customer.post('two');
  const { events } = await customer.events({ limit: 100 });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  http.close();
}

test('the next version migrates under the traffic of this one, which then starts again on the new schema and serves', {
  timeout: 240_000,
}, async () => {
  const auth = await start(own, 'auth-service');
  const chat = await start(own, 'chat-service', auth.url);
  const http = new HttpClient(chat.url);
  const customer = await Customer.create(http, { name: 'of this version' });
  await customer.post('before');

  const planned = admin(next, 'migrate', '--dry-run', '--json');
  expect(JSON.parse(planned.out)).toEqual({
    pending: [
      { name: '9000_expand', index: false, lives_with: NEWEST },
      { name: '9001_index', index: true, lives_with: NEWEST },
    ],
    newer: [],
    done: false,
  });
  expect(await rows(`SELECT name FROM schema_migration WHERE name >= '9'`)).toEqual([]);

  const failures: string[] = [];
  let going = true;
  const writing = (async () => {
    for (let index = 0; going; index += 1, await sleep(50))
      await customer.post(`meanwhile ${index}`).catch((error: unknown) => failures.push(String(error)));
  })();
  // Both at once: one of them migrates, the other waits for it.
  const [nextAuth, nextChat] = await Promise.all([start(next, 'auth-service'), start(next, 'chat-service', auth.url)]);
  going = false;
  await writing;
  expect(failures).toEqual([]);
  expect(await rows(`SELECT name, lives_with FROM schema_migration WHERE name >= '9' ORDER BY name`)).toEqual([
    { name: '9000_expand', lives_with: NEWEST },
    { name: '9001_index', lives_with: NEWEST },
  ]);
  expect(await rows(`SELECT indisvalid FROM pg_index WHERE indexrelid = 'chat_event_next'::regclass`)).toEqual([
    { indisvalid: true },
  ]);
  expect(admin(next, 'migrate', '--json').out).toContain('"pending":[]');

  // As a crash or a supervisor does in the middle of a rolling update.
  for (const { process, url } of [auth, chat]) {
    await process.kill();
    await process.start();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await process.waitForLog(({ msg, message }) => msg === NEWER || message === NEWER);
  }
  await customer.post('afterwards');
  const { events } = await customer.events({ limit: 500 });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  for (const { url } of [chat, nextChat]) await converse(url, `a chat begun at ${url}`);
  for (const { url } of [auth, nextAuth]) expect(await signIn(url)).toBe(200);
  // Events written by this version are published, whichever of both relays.
  await expect
    .poll(() => rows<{ n: string }>('SELECT count(*) AS n FROM outbox WHERE published_at IS NULL'))
    .toEqual([{ n: '0' }]);
  const saved = admin(own, 'backup', tempFolder('backup-of-before'));
  expect([saved.status, saved.err]).toEqual([1, expect.stringContaining('newer version than this program')]);

  // A migration with which no version before can live: who runs goes on, who starts says one sentence.
  const migrated = admin(afterNext, 'migrate');
  expect([migrated.status, migrated.err]).toEqual([0, expect.stringContaining('do not start again')]);
  await converse(chat.url, 'of the version before, which still runs');
  await chat.process.kill();
  await expect(chat.process.start()).rejects.toThrow();
  const said = chat.process
    .output()
    .split('\n')
    .filter((line) => line.startsWith('chat-service:'));
  expect(said).toEqual([
    'chat-service: a newer version has brought the database up to date, and this one cannot live with 9002_contract: start that version or a newer one (schema_too_new)',
  ]);
  await auth.process.kill();
  await expect(auth.process.start()).rejects.toThrow();
  expect(auth.process.output()).toContain('(schema_too_new)');
  expect(auth.process.output()).not.toMatch(/^\s+at /m);
  await converse(nextChat.url, 'of the next version, which still runs');
  http.close();
});

test('standalone with its own PostgreSQL goes to the next version and back', { timeout: 240_000 }, async () => {
  const folder = tempFolder('side-by-side-standalone');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  for (const version of [own, next, own]) {
    const process = await startProcess({
      name: 'standalone',
      args: [version.main('standalone')],
      env: { PORT: String(port), DATA_DIR: folder },
      ready: `${url}/readyz`,
      readyTimeoutMs: 120_000,
    });
    await converse(url, 'of standalone').finally(() => process.stop());
  }
});
