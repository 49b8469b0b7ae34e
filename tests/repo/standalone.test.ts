import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { DEFAULT_PORT } from '../../apps/standalone/src/listen-port.ts';
import { Child, freePort, HttpClient, Staff, tempFolder, until } from '@chat-realtime/testkit';
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
  ): Promise<{ child: Child; http: HttpClient; ms: number; password: string }> {
    const port = await freePort();
    const began = Date.now();
    const child = launch(dataDir, { PORT: String(port) }, args);
    const http = new HttpClient(`http://127.0.0.1:${port}`);
    clients.push(http);
    await until(() => (child.assertRunning(), child.output().includes('is running')), {
      timeoutMs: 30_000,
      what: 'the start line',
    });
    const ms = Date.now() - began;
    const password = /password (\S+)/.exec(child.output())?.[1];
    if (password === undefined) throw new Error(`no password was printed:\n${child.output()}`);
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
