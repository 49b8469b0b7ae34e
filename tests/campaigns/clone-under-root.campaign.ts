// A clone in a folder that root alone may enter, as /root is, started there by root with npm start: it serves, and its PostgreSQL runs as a user of its own. Linux, as root. Some minutes: it installs and builds.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Customer, freePort, HttpClient, processTree, startProcess, tempFolder } from '@chat-realtime/testkit';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MINUTES = 60_000;

/** Who may do what with it, and whose it is. */
function rights(path: string): string {
  const { mode, uid, gid } = statSync(path);
  return `${(mode & 0o7777).toString(8)} ${uid} ${gid}`;
}
const ownerOf = (pid: number): number => statSync(`/proc/${pid}`).uid;
const isPostgres = (pid: number): boolean => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres');

test('[OPS34] serves from a clone in a folder of root, without changing its permissions', {
  timeout: 30 * MINUTES,
}, async () => {
  expect(process.getuid?.(), 'this campaign runs as root').toBe(0);
  const home = join(tempFolder('home-of-root'), 'root');
  mkdirSync(home);
  chmodSync(home, 0o700);
  const clone = join(home, 'chat');
  execFileSync('git', ['clone', '--quiet', ROOT, clone]);
  const before = [home, clone].map(rights);
  const base = `http://127.0.0.1:${await freePort()}`;
  // As an owner does who has just cloned it: the data folder is the one within the clone.
  const app = await startProcess({
    name: 'npm start',
    command: 'npm',
    args: ['start'],
    cwd: clone,
    env: { PORT: new URL(base).port },
    ready: /is running/,
    readyTimeoutMs: 20 * MINUTES,
    stopTimeoutMs: MINUTES,
  });
  const http = new HttpClient(base);
  try {
    const customer = await Customer.create(http, { name: 'of a clone of root' });
    await customer.post('hello');
    const servers = processTree(app.pid).filter(isPostgres);
    expect(servers.length).toBeGreaterThan(3);
    const [owner = 0] = new Set(servers.map(ownerOf));
    const users = readFileSync('/etc/passwd', 'utf8').split('\n');
    expect(users.find((line) => line.split(':')[2] === String(owner))?.split(':')[0]).toBe('chat-realtime');
    expect([home, clone].map(rights)).toEqual(before);
    // A start of later finds it all, by the copy of the programs that is there.
    await app.stop();
    await app.start();
    expect((await customer.messages()).messages.map(({ body }) => body)).toEqual(['hello']);
    expect([home, clone].map(rights)).toEqual(before);
  } finally {
    http.close();
    await app.stop();
  }
});
