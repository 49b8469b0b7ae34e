import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DEFAULT_PORT } from '../../apps/standalone/src/listen-port.ts';
import { freePort, HttpClient, Staff, tempFolder, until } from '@chat-realtime/testkit';
import { createSessionResponseSchema } from '@chat-realtime/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { StandaloneProcesses, STOP_MS } from '../support/standalone-processes.ts';

const chats = new StandaloneProcesses();
afterEach(() => chats.stopAll());

describe('the life cycle of standalone', () => {
  it('[OPS22] --reset deletes neither a folder that another process serves nor files of others', async () => {
    const folder = tempFolder('standalone');
    const { child, http, password } = await chats.start(folder);
    await writeFile(join(folder, 'notes.txt'), 'mine');
    const second = chats.launch(folder, { PORT: String(await freePort()) }, ['--reset']);
    expect((await second.exited).code).toBe(1);
    expect(second.output()).toContain('in use by another process');
    const anna = await Staff.login(http, 'anna', password);
    const chat = (await anna.sessions()).sessions[0]?.id ?? 0;
    expect((await anna.request('POST', `/chat/session/${chat}/notes`, { json: { body: 'still here' } })).status).toBe(
      201,
    );
    await child.stop('SIGTERM', STOP_MS);

    const third = await chats.start(folder, ['--reset']);
    expect(third.password).not.toBe(password);
    expect(await readFile(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  }, 120_000);

  it('shows every state in its demo chats, which an admin removes for good with one call', async () => {
    const folder = tempFolder('standalone');
    const first = await chats.start(folder);
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
    const second = await chats.start(folder);
    const again = await Staff.login(second.http, 'anna', second.password);
    expect((await again.sessions()).sessions).toEqual([]);
  }, 60_000);

  it('[OPS4] serves its metrics with their token, and on a separate port that serves nothing else', async () => {
    const metricsPort = await freePort();
    const token = 'token-of-the-prometheus';
    const settings = { METRICS_TOKEN: token, METRICS_PORT: String(metricsPort) };
    const { http } = await chats.start(tempFolder('standalone'), [], settings);
    expect((await http.get('/metrics')).status).toBe(401);
    expect((await http.get('/metrics', { token: 'something else' })).status).toBe(401);
    expect((await http.get('/metrics', { token })).text).toContain('chat_active_connections');
    const own = new HttpClient(`http://127.0.0.1:${metricsPort}`);
    expect((await own.get('/metrics')).text).toContain('chat_active_connections');
    expect((await own.get('/healthz')).status).toBe(404);
    own.close();
  }, 120_000);

  it('[OPS20] a production variable ends the demo, and a database that was served for real never becomes a demo again', async () => {
    const folder = tempFolder('standalone');
    const real = await chats.start(folder, [], { ALLOWED_ORIGINS: 'https://shop.example' });
    expect(real.child.output()).toContain('because of ALLOWED_ORIGINS');
    expect((await real.http.get('/try/')).status).toBe(404);
    await real.child.stop('SIGTERM', STOP_MS);
    const back = await chats.start(folder, [], { DEMO: 'on' });
    expect(back.child.output()).toContain('served for real');
    expect((await back.http.get('/try/')).status).toBe(404);
  }, 120_000);

  it('[OPS22] --reset deletes nothing if the configuration is invalid', async () => {
    const folder = tempFolder('standalone');
    const first = await chats.start(folder);
    await first.child.stop('SIGTERM', STOP_MS);
    const wrong = chats.launch(folder, { PORT: 'none' }, ['--reset']);
    expect((await wrong.exited).code).toBe(1);
    const again = await chats.start(folder);
    expect(again.password).toBe(first.password);
  }, 120_000);

  it('[OPS23] removes only the demo chats it made itself, whatever a customer’s attributes say', async () => {
    const folder = tempFolder('standalone');
    const { http, password } = await chats.start(folder);
    const customer = await http.post('/chat/session', { json: { attributes: { demo: true } } });
    expect(customer.status).toBe(201);
    const { session } = createSessionResponseSchema.parse(customer.json());
    const admin = await Staff.login(http, 'admin', password);
    expect((await admin.request('DELETE', '/chat/demo')).json()).toEqual({ removed: 12 });
    expect((await admin.sessions()).sessions.map(({ id }) => id)).toEqual([session.id]);
  }, 60_000);

  it('[OPS36] [AUTH21] closes the accounts of a demo as soon as it is served for real', async () => {
    const folder = tempFolder('standalone');
    const demo = await chats.start(folder);
    await demo.child.stop('SIGTERM', STOP_MS);
    const real = await chats.start(folder, [], { ALLOWED_ORIGINS: 'https://shop.example' });
    expect(real.child.output()).toContain('/operator/#invite=');
    for (const login of ['anna', 'boris', 'admin'])
      expect((await real.http.post('/auth/login', { json: { login, password: demo.password } })).status).toBe(401);
  }, 120_000);

  it('[OPS36] creates the accounts outside the demo with a chosen password', async () => {
    const folder = tempFolder('standalone');
    const environment = { ALLOWED_ORIGINS: 'https://shop.example', OPERATOR_PASSWORD: 'chosen-by-the-owner' };
    const first = await chats.start(folder, [], environment);
    expect(first.child.output()).not.toContain('chosen-by-the-owner');
    const admin = await Staff.login(first.http, 'admin', environment.OPERATOR_PASSWORD);
    expect((await admin.sessions()).sessions).toEqual([]);
    await first.child.stop('SIGTERM', STOP_MS);
    const second = await chats.start(folder, [], environment);
    await Staff.login(second.http, 'anna', environment.OPERATOR_PASSWORD);
  }, 120_000);

  it('[OPS37] leads from the demo to a real chat: its chats and accounts are removed, customers’ chats stay', async () => {
    const folder = tempFolder('standalone');
    const { http, password, child } = await chats.start(folder);
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
    const real = await chats.start(folder);
    const vera = await Staff.login(real.http, 'admin', account.password);
    expect((await vera.sessions()).sessions.map(({ id }) => id)).toEqual([session.id]);
    expect((await vera.request('GET', '/chat/demo')).json()).toEqual({ demo: false });
    expect((await vera.request('POST', '/chat/demo/end')).status).toBe(404);
  }, 120_000);

  it('[OPS37] ends the demo if its administrator has invited another one, joined or not', async () => {
    const folder = tempFolder('standalone');
    const { http, password, child } = await chats.start(folder);
    const admin = await Staff.login(http, 'admin', password);
    const vera = { login: 'vera', name: 'Вера', role: 'admin' };
    const added = JSON.stringify((await admin.request('POST', '/auth/operators', { json: vera })).json());
    // Nobody has entered the account yet: the way over is a link of its own, as often as it is asked for.
    for (const removed of [12, 0])
      expect((await admin.request('POST', '/chat/demo/end')).json()).toEqual({
        removed,
        invite_url: expect.stringContaining('/operator/#invite='),
      });
    expect((await admin.request('GET', '/chat/demo')).json()).toEqual({ demo: true });
    const key = /#invite=([\w-]+)/.exec(added)?.[1];
    const own = 'correct horse battery staple';
    expect((await http.post('/auth/invite/accept', { json: { key, password: own } })).status).toBe(200);
    expect((await http.post('/auth/login', { json: { login: 'admin', password } })).status).toBe(401);
    const owner = await Staff.login(http, 'vera', own);
    expect((await owner.request('GET', '/chat/demo')).json()).toEqual({ demo: false });
    expect((await owner.request('POST', '/chat/demo/end')).status).toBe(404);
    const log = JSON.stringify((await owner.request('GET', '/chat/audit')).json());
    for (const action of ['operator.added', 'demo.ended', 'password.set_by_link']) expect(log).toContain(action);
    await child.stop('SIGTERM', STOP_MS);
    const real = await chats.start(folder);
    expect(real.child.output()).not.toContain('#invite=');
    await Staff.login(real.http, 'vera', own);
  }, 120_000);

  it('[OPS37] [AUTH21] closes the demo at once if an administrator has joined, and its logins are free', async () => {
    const { http, password } = await chats.start(tempFolder('standalone'));
    const admin = await Staff.login(http, 'admin', password);
    const vera = { login: 'vera', name: 'Вера', role: 'admin' };
    const added = JSON.stringify((await admin.request('POST', '/auth/operators', { json: vera })).json());
    const key = /#invite=([\w-]+)/.exec(added)?.[1];
    const own = 'correct horse battery staple';
    expect((await http.post('/auth/invite/accept', { json: { key, password: own } })).status).toBe(200);
    const owner = await Staff.login(http, 'vera', own);
    expect((await owner.request('POST', '/chat/demo/end')).json()).toEqual({ removed: 12, invite_url: null });
    for (const login of ['anna', 'boris', 'admin'])
      expect((await http.post('/auth/login', { json: { login, password } })).status).toBe(401);
    expect((await owner.request('GET', '/chat/demo')).json()).toEqual({ demo: false });
    expect((await owner.request('GET', '/auth/operators')).json()).toMatchObject({ operators: [{ login: 'vera' }] });
    for (const login of ['anna', 'boris', 'admin'])
      expect((await owner.request('POST', '/auth/operators', { json: { ...vera, login } })).status).toBe(201);
  }, 120_000);

  it('prints its address when its default port is taken, and refuses a second process on its data', async () => {
    const folder = tempFolder('standalone');
    const blocker = createServer().listen(DEFAULT_PORT, '127.0.0.1');
    try {
      const child = chats.launch(folder, {});
      await until(() => child.output().includes('is running') || !child.running, {
        timeoutMs: 30_000,
        what: 'the start line',
      });
      expect(child.output()).toContain(`Port ${DEFAULT_PORT} is taken`);
      const other = chats.launch(folder, { PORT: String(await freePort()) });
      expect((await other.exited).code).toBe(1);
      expect(other.output()).toMatch(/another process|in use|already/i);
    } finally {
      blocker.close();
    }
  }, 60_000);
});
