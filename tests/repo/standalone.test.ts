import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_PORT } from '../../apps/standalone/src/listen-port.ts';
import { Child, freePort, HttpClient, Staff, tempFolder, until } from '@chat-realtime/testkit';
import { createSessionResponseSchema } from '@chat-realtime/protocol';
import { afterEach, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));
const STOP_MS = 20_000;
/** What a person waits who has everything installed. */
const READY_MS = 5_000;

describe('npm start', () => {
  const running: Child[] = [];
  const clients: HttpClient[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await Promise.all(running.splice(0).map(async (child) => child.running && child.stop('SIGTERM', STOP_MS)));
  });

  function launch(dataDir: string, env: Record<string, string>, args: string[] = []): Child {
    const child = new Child({
      name: 'standalone',
      command: process.execPath,
      args: [MAIN, ...args],
      env: { PATH: process.env['PATH'] ?? '', DATA_DIR: dataDir, ...env },
    });
    running.push(child);
    return child;
  }

  async function start(
    dataDir: string,
    args: string[] = [],
    env: Record<string, string> = {},
  ): Promise<{ child: Child; http: HttpClient; ms: number; password: string }> {
    const port = await freePort();
    const began = Date.now();
    const child = launch(dataDir, { PORT: String(port), ...env }, args);
    const http = new HttpClient(`http://127.0.0.1:${port}`);
    clients.push(http);
    await until(() => (child.assertRunning(), child.output().includes('is running')), {
      // A machine that is busy with other suites is not wrong.
      timeoutMs: 90_000,
      what: 'the start line',
    });
    const ms = Date.now() - began;
    // Of the demo's accounts; a chat without a demo prints none.
    const password = /password (\S+)/.exec(child.output())?.[1] ?? '';
    return { child, http, ms, password };
  }

  it('[OPS7] keeps everything over a restart, is up within 5 s, and begins anew with --reset', async () => {
    const folder = tempFolder('standalone');
    const first = await start(folder);
    const anna = await Staff.login(first.http, 'anna', first.password);
    const seeded = await anna.sessions();
    expect(seeded.sessions).toHaveLength(12);
    const chat = seeded.sessions[0]?.id ?? 0;
    await anna.post(chat, 'написано до перезапуска').catch(() => undefined);
    const before = await anna.sessions();
    await first.child.stop('SIGTERM', STOP_MS);

    let second = await start(folder);
    // What else runs on the machine may hold one start up, but not three in a row.
    for (let again = 0; again < 2 && second.ms >= READY_MS; again += 1) {
      await second.child.stop('SIGTERM', STOP_MS);
      second = await start(folder);
    }
    expect(second.password).toBe(first.password);
    expect(second.ms).toBeLessThan(READY_MS);
    const again = await Staff.login(second.http, 'anna', second.password);
    const after = await again.sessions();
    expect(after.sessions.map(({ id, last_seq }) => [id, last_seq])).toEqual(
      before.sessions.map(({ id, last_seq }) => [id, last_seq]),
    );
    // The token of before the restart still counts: keys are kept too.
    expect((await second.http.get('/auth/me', { token: anna.token })).status).toBe(200);
    await second.child.stop('SIGTERM', STOP_MS);

    const third = await start(folder, ['--reset']);
    expect(third.password).not.toBe(first.password);
    const anew = await Staff.login(third.http, 'anna', third.password);
    expect((await anew.sessions()).sessions).toHaveLength(12);
    expect((await third.http.get('/auth/me', { token: anna.token })).status).toBe(401);
  }, 150_000);

  it('shows every state in its demo chats, which an admin removes for good by one call', async () => {
    const folder = tempFolder('standalone');
    const first = await start(folder);
    const [anna, admin] = await Promise.all([
      Staff.login(first.http, 'anna', first.password),
      Staff.login(first.http, 'admin', first.password),
    ]);
    const { sessions } = await anna.sessions();
    expect(new Set(sessions.map(({ status }) => status))).toEqual(new Set(['new', 'active', 'closed']));
    expect(sessions.some(({ unread_count: unread }) => unread > 0)).toBe(true);
    expect(sessions.some(({ callback_pending: pending }) => pending)).toBe(true);
    expect((await anna.request('DELETE', '/chat/demo')).status).toBe(403);
    expect((await admin.request('DELETE', '/chat/demo')).json()).toEqual({ removed: 12 });
    expect((await anna.sessions()).sessions).toEqual([]);
    await first.child.stop('SIGTERM', STOP_MS);
    const second = await start(folder);
    const again = await Staff.login(second.http, 'anna', second.password);
    expect((await again.sessions()).sessions).toEqual([]);
  }, 60_000);

  it('[OPS23] removes what it made itself and nothing that a customer calls a demo', async () => {
    const folder = tempFolder('standalone');
    const { http, password } = await start(folder);
    const customer = await http.post('/chat/session', { json: { attributes: { demo: true } } });
    expect(customer.status).toBe(201);
    const { session } = createSessionResponseSchema.parse(customer.json());
    const admin = await Staff.login(http, 'admin', password);
    expect((await admin.request('DELETE', '/chat/demo')).json()).toEqual({ removed: 12 });
    expect((await admin.sessions()).sessions.map(({ id }) => id)).toEqual([session.id]);
  }, 60_000);

  it('[OPS22] deletes with --reset neither what another process serves nor what is not its own', async () => {
    const folder = tempFolder('standalone');
    const { child, http, password } = await start(folder);
    await writeFile(join(folder, 'notes.txt'), 'mine');
    const second = launch(folder, { PORT: String(await freePort()) }, ['--reset']);
    expect((await second.exited).code).toBe(1);
    expect(second.output()).toContain('in use by another process');
    const anna = await Staff.login(http, 'anna', password);
    const chat = (await anna.sessions()).sessions[0]?.id ?? 0;
    expect((await anna.request('POST', `/chat/session/${chat}/notes`, { json: { body: 'still here' } })).status).toBe(
      201,
    );
    await child.stop('SIGTERM', STOP_MS);

    const wrong = launch(folder, { PORT: 'none' }, ['--reset']);
    expect((await wrong.exited).code).toBe(1);
    const again = await start(folder);
    expect(again.password).toBe(password);
    await again.child.stop('SIGTERM', STOP_MS);
    const third = await start(folder, ['--reset']);
    expect(third.password).not.toBe(password);
    expect(await readFile(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  }, 120_000);

  it('[OPS4] [OPS20] shows its figures to nobody unless a token or a port of their own was set', async () => {
    const folder = tempFolder('standalone');
    const plain = await start(folder);
    const asked: readonly Record<string, string>[] = [{}, { host: 'localhost' }, { authorization: 'Bearer ' }];
    for (const headers of asked) expect((await plain.http.get('/metrics', { headers })).status).toBe(404);
    await plain.child.stop('SIGTERM', STOP_MS);
    const metricsPort = await freePort();
    const token = 'token-of-the-prometheus';
    const { http, child } = await start(folder, [], { METRICS_TOKEN: token, METRICS_PORT: String(metricsPort) });
    expect((await http.get('/metrics')).status).toBe(401);
    expect((await http.get('/metrics', { token: 'something else' })).status).toBe(401);
    expect((await http.get('/metrics', { token })).text).toContain('chat_active_connections');
    const own = new HttpClient(`http://127.0.0.1:${metricsPort}`);
    clients.push(own);
    expect((await own.get('/metrics')).text).toContain('chat_active_connections');
    expect((await own.get('/healthz')).status).toBe(404);
    await child.stop('SIGTERM', STOP_MS);

    // A variable of production ends the demo, and what was served for real is no demo ever after.
    const real = await start(folder, [], { ALLOWED_ORIGINS: 'https://shop.example' });
    expect(real.child.output()).toContain('because of ALLOWED_ORIGINS');
    expect((await real.http.get('/try/')).status).toBe(404);
    await real.child.stop('SIGTERM', STOP_MS);
    const back = await start(folder, [], { DEMO: 'on' });
    expect(back.child.output()).toContain('served for real');
    expect((await back.http.get('/try/')).status).toBe(404);
  }, 120_000);

  it('[OPS36] [AUTH20] seeds nothing outside demo mode, and prints a one-time link for the administrator until there is one', async () => {
    const folder = tempFolder('standalone');
    const first = await start(folder, ['--empty']);
    expect(first.child.output()).not.toMatch(/anna|password /);
    const key = /\/operator\/#invite=(\S+)/.exec(first.child.output())?.[1];
    expect(key).toBeDefined();
    const account = { login: 'vera', name: 'Вера', password: 'correct horse battery staple' };
    const accept = () => first.http.post('/auth/invite/accept', { json: { key, ...account } });
    expect((await accept()).status).toBe(200);
    expect((await accept()).status).toBe(401);
    const vera = await Staff.login(first.http, 'vera', account.password);
    expect((await vera.sessions()).sessions).toEqual([]);
    await first.child.stop('SIGTERM', STOP_MS);
    // Real from now on, also for who forgets to say so.
    const second = await start(folder);
    expect(second.child.output()).not.toMatch(/invite=|anna|password /);
    expect((await (await Staff.login(second.http, 'vera', account.password)).sessions()).sessions).toEqual([]);
    expect((await second.http.post('/auth/login', { json: { login: 'anna', password: 'x' } })).status).toBe(401);
    await second.child.stop('SIGTERM', STOP_MS);
  }, 120_000);

  it('[OPS36] [AUTH21] closes the accounts of a demo as soon as it is served for real', async () => {
    const folder = tempFolder('standalone');
    const demo = await start(folder);
    await demo.child.stop('SIGTERM', STOP_MS);
    const real = await start(folder, [], { ALLOWED_ORIGINS: 'https://shop.example' });
    expect(real.child.output()).toContain('/operator/#invite=');
    for (const login of ['anna', 'boris', 'admin'])
      expect((await real.http.post('/auth/login', { json: { login, password: demo.password } })).status).toBe(401);
  }, 120_000);

  it('[OPS36] makes the three accounts outside the demo with a password that somebody chose', async () => {
    const folder = tempFolder('standalone');
    const environment = { ALLOWED_ORIGINS: 'https://shop.example', OPERATOR_PASSWORD: 'chosen-by-the-owner' };
    const first = await start(folder, [], environment);
    expect(first.child.output()).not.toContain('chosen-by-the-owner');
    const admin = await Staff.login(first.http, 'admin', environment.OPERATOR_PASSWORD);
    expect((await admin.sessions()).sessions).toEqual([]);
    await first.child.stop('SIGTERM', STOP_MS);
    const second = await start(folder, [], environment);
    await Staff.login(second.http, 'anna', environment.OPERATOR_PASSWORD);
  }, 120_000);

  it('[OPS37] leads from the demo to a real chat: its chats and accounts go, what a customer began stays', async () => {
    const folder = tempFolder('standalone');
    const { http, password, child } = await start(folder);
    const customer = await http.post('/chat/session', { json: {} });
    const { session } = createSessionResponseSchema.parse(customer.json());
    const [anna, admin] = await Promise.all([
      Staff.login(http, 'anna', password),
      Staff.login(http, 'admin', password),
    ]);
    expect((await anna.request('GET', '/chat/demo')).json()).toEqual({ demo: true });
    expect((await anna.request('POST', '/chat/demo/end')).status).toBe(403);
    const ended = (await admin.request('POST', '/chat/demo/end')).json();
    expect(ended).toMatchObject({ removed: 12, invite_url: expect.stringContaining('/operator/#invite=') });
    const key = /#invite=([\w-]+)/.exec(JSON.stringify(ended))?.[1];
    const account = { login: 'admin', name: 'Вера', password: 'correct horse battery staple' };
    expect((await http.post('/auth/invite/accept', { json: { key, ...account } })).status).toBe(200);
    expect((await http.post('/auth/login', { json: { login: 'anna', password } })).status).toBe(401);
    await child.stop('SIGTERM', STOP_MS);
    const real = await start(folder);
    const vera = await Staff.login(real.http, 'admin', account.password);
    expect((await vera.sessions()).sessions.map(({ id }) => id)).toEqual([session.id]);
    expect((await vera.request('GET', '/chat/demo')).json()).toEqual({ demo: false });
    expect((await vera.request('POST', '/chat/demo/end')).status).toBe(404);
  }, 120_000);

  it('says aloud where it is when its port is taken, and refuses a second process on its data', async () => {
    const folder = tempFolder('standalone');
    const blocker = createServer().listen(DEFAULT_PORT, '127.0.0.1');
    try {
      const child = launch(folder, {});
      await until(() => child.output().includes('is running') || !child.running, {
        timeoutMs: 30_000,
        what: 'the start line',
      });
      expect(child.output()).toContain(`Port ${DEFAULT_PORT} is taken`);
      const other = launch(folder, { PORT: String(await freePort()) });
      expect((await other.exited).code).toBe(1);
      expect(other.output()).toMatch(/another process|in use|already/i);
    } finally {
      blocker.close();
    }
  }, 60_000);
});
