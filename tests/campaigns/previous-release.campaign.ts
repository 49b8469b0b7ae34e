// Services of the last release on the schema of this one: started before, they serve on while it migrates beneath them, and start again where they can. Some minutes: it builds that release.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '@chat-realtime/database';
import {
  type AppProcess,
  Customer,
  freePort,
  HttpClient,
  type PostgresServer,
  sleep,
  startPostgres,
  startProcess,
  startRabbit,
  tempFolder,
} from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildRelease, LAST_RELEASE } from '../support/release.ts';

/** `PREVIOUS_RELEASE` names another commit. */
const RELEASE = process.env['PREVIOUS_RELEASE'] ?? LAST_RELEASE;
const SECRET = 'k1:0123456789abcdef0123456789abcdef';

let postgres: PostgresServer;
const running: { stop(): Promise<unknown> }[] = [];
const keep = <T extends { stop(): Promise<unknown> }>(part: T): T => {
  running.push(part);
  return part;
};
let chat: AppProcess;
let auth: AppProcess;
let startsAgain: boolean;
let authUrl: string;
let http: HttpClient;

beforeAll(async () => {
  const release = buildRelease(RELEASE);
  postgres = keep(await startPostgres({ durable: false }));
  const rabbit = keep(await startRabbit());
  const [authPort, chatPort] = [await freePort(), await freePort()];
  const common = {
    HOST: '127.0.0.1',
    DATABASE_URL: postgres.url,
    CHAT_TOKEN_SECRETS: SECRET,
    OPERATOR_PASSWORD: 'a password',
  };
  const start = (service: string, port: number, env: Record<string, string>): Promise<AppProcess> => {
    const main = join(release, 'apps', service, 'dist/main.js');
    if (!existsSync(main)) throw new Error(`${main} was not built`);
    return startProcess({
      name: service,
      args: [main],
      env: { ...common, PORT: String(port), ...env },
      ready: `http://127.0.0.1:${port}/readyz`,
      readyTimeoutMs: 60_000,
    }).then(keep);
  };
  authUrl = `http://127.0.0.1:${authPort}`;
  // 0.1.0 was made before migrations said who lives with them: it serves on, but does not start again.
  startsAgain = existsSync(join(release, 'libs/database/src/schema-age.ts'));
  auth = await start('auth-service', authPort, {});
  chat = await start('chat-service', chatPort, {
    RABBITMQ_URL: rabbit.url,
    DATA_DIR: tempFolder('previous-files'),
    AUTH_JWKS_URL: `http://127.0.0.1:${authPort}/.well-known/jwks.json`,
    INTERNAL_API_KEY: 'internal-key-0123456789',
  });
  http = new HttpClient(`http://127.0.0.1:${chatPort}`);
}, 900_000);
afterAll(async () => {
  http.close();
  for (const part of running.reverse()) await part.stop();
});

test('writing, reading and signing in work during the migration to this version, and afterwards', {
  timeout: 120_000,
}, async () => {
  const customer = await Customer.create(http, { name: 'of the last release' });
  await customer.post('before');
  let going = true;
  const failures: string[] = [];
  const writing = (async () => {
    // Below the limit for one customer.
    for (let index = 0; going; index += 1, await sleep(1_100))
      await customer.post(`meanwhile ${index}`).catch((error: unknown) => failures.push(String(error)));
  })();
  // As the first service of this version does when it starts.
  const database = await openDatabase(postgres.url, { applicationName: 'new version', poolSize: 2 });
  going = false;
  await writing;
  expect(failures).toEqual([]);
  const said = await customer.post('afterwards');
  const { events } = await customer.events({ limit: 500 });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(JSON.stringify(events.at(-1))).toContain(said.body);
  const another = await Customer.create(http, { name: 'a chat begun by the last release on the new schema' });
  await another.post('hello');
  const loggedIn = await fetch(new URL('/auth/login', authUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: 'anna', password: 'a password' }),
  });
  expect(loggedIn.status).toBe(200);
  expect(chat.running).toBe(true);
  await database.close();
  // As a crash does in the middle of an update.
  for (const service of [auth, chat]) {
    await service.kill();
    if (startsAgain) await service.start();
    else {
      await expect(service.start()).rejects.toThrow();
      expect(service.output()).toContain('the database has migrations this version does not know');
    }
  }
  if (startsAgain) await customer.post('after a restart');
});
