import { fixedWork, Staff, tempFolder } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type StartedChat, StandaloneProcesses, STOP_MS } from '../support/standalone-processes.ts';

/**
 * How many times as long as fixed work of the same minute a later start may take. On a quiet machine it is 2.0 times, and 3.5
 * times are the 5 s that a person waits who has everything installed.
 */
const LATER_START_MOST = 3.5;

const chats = new StandaloneProcesses();
afterEach(() => chats.stopAll());

describe('npm start', () => {
  it('[OPS7] keeps everything across a restart, is up soon, and starts from scratch with --reset', async () => {
    const folder = tempFolder('standalone');
    const first = await chats.start(folder);
    const anna = await Staff.login(first.http, 'anna', first.password);
    const seeded = await anna.sessions();
    expect(seeded.sessions).toHaveLength(12);
    const chat = seeded.sessions[0]?.id ?? 0;
    await anna.post(chat, 'написано до перезапуска').catch(() => undefined);
    const before = await anna.sessions();
    await first.child.stop('SIGTERM', STOP_MS);

    let work = await fixedWork(folder);
    let second = await chats.start(folder);
    // What else runs on the machine may hold one start up, but not three in a row.
    for (let again = 0; again < 2 && second.ms > LATER_START_MOST * work; again += 1) {
      await second.child.stop('SIGTERM', STOP_MS);
      work = await fixedWork(folder);
      second = await chats.start(folder);
    }
    expect(second.password).toBe(first.password);
    expect(second.ms / work).toBeLessThan(LATER_START_MOST);
    const again = await Staff.login(second.http, 'anna', second.password);
    const after = await again.sessions();
    expect(after.sessions.map(({ id, last_seq }) => [id, last_seq])).toEqual(
      before.sessions.map(({ id, last_seq }) => [id, last_seq]),
    );
    // The token of before the restart still counts: keys are kept too.
    expect((await second.http.get('/auth/me', { token: anna.token })).status).toBe(200);
    await second.child.stop('SIGTERM', STOP_MS);

    const third = await chats.start(folder, ['--reset']);
    expect(third.password).not.toBe(first.password);
    const anew = await Staff.login(third.http, 'anna', third.password);
    expect((await anew.sessions()).sessions).toHaveLength(12);
    expect((await third.http.get('/auth/me', { token: anna.token })).status).toBe(401);
  }, 150_000);
});

describe('npm start -- --empty', () => {
  const empty = new StandaloneProcesses();
  afterAll(() => empty.stopAll());
  const folder = tempFolder('standalone');
  let first: StartedChat;
  beforeAll(async () => {
    first = await empty.start(folder, ['--empty']);
  });

  it('[OPS4] serves its metrics to nobody while neither a token nor a separate port is set', async () => {
    const asked: readonly Record<string, string>[] = [{}, { host: 'localhost' }, { authorization: 'Bearer ' }];
    for (const headers of asked) expect((await first.http.get('/metrics', { headers })).status).toBe(404);
  });

  it('[OPS36] [AUTH20] seeds nothing outside demo mode, and prints a one-time link for the administrator until there is one', async () => {
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
    const second = await empty.start(folder);
    expect(second.child.output()).not.toMatch(/invite=|anna|password /);
    expect((await (await Staff.login(second.http, 'vera', account.password)).sessions()).sessions).toEqual([]);
    expect((await second.http.post('/auth/login', { json: { login: 'anna', password: 'x' } })).status).toBe(401);
    await second.child.stop('SIGTERM', STOP_MS);
  }, 120_000);
});
