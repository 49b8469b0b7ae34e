import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, processTree, tempFolder, until } from '@chat-realtime/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { removeEmbeddedPostgres } from './remove.ts';
import { kill, names, Servers, write } from './testing/servers.ts';

const servers = new Servers();
afterEach(() => servers.stop());

/** A separate process, in place of a chat that is about to be killed. */
async function owner(folder: string): Promise<{ process: ChildProcess; url: string; pid: number }> {
  const code = `const { startEmbeddedPostgres } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
    const { url, pid } = await startEmbeddedPostgres(${JSON.stringify(folder)});
    console.log(JSON.stringify({ url, pid }));
    setInterval(() => undefined, 1_000);`;
  const args = ['--conditions=source', '--input-type=module', '-e', code];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(child.stdout, 'data');
  const { url, pid }: { url: string; pid: number } = JSON.parse(String(said));
  return { process: child, url, pid };
}

describe('the embedded PostgreSQL, its process and its folder', () => {
  it('[OPS32] ends with the process that started it, even if that is killed', async () => {
    const folder = tempFolder('embedded');
    const { process: child, pid } = await owner(folder);
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await until(() => !isAlive(pid), { timeoutMs: 20_000, what: 'the end of the server' });
  });

  it('[OPS32] starts after a process that was killed with its guard, whether its server still runs or not', async () => {
    const folder = tempFolder('embedded');
    const left = await owner(folder);
    await write(left.url, 'anna');
    const guards = processTree(left.process.pid ?? 0).filter((pid) => !processTree(left.pid).includes(pid));
    kill(guards);
    await until(() => guards.every((pid) => !isAlive(pid)), { what: 'the end of the process and its guard' });
    expect(isAlive(left.pid)).toBe(true);
    const second = await owner(folder);
    expect(isAlive(left.pid)).toBe(false);
    await write(second.url, 'boris');
    kill(processTree(second.process.pid ?? 0));
    // The pid of a dead server may belong to any process by now: here it is this one's.
    const lockFile = join(folder, 'postgres-18', 'postmaster.pid');
    const text = await readFile(lockFile, 'utf8');
    await until(() => !isAlive(second.pid), { what: 'the end of the server' });
    await writeFile(lockFile, text.replace(/^\d+/, String(process.pid)));
    expect(await names((await servers.start(folder)).url)).toEqual(['anna', 'boris']);
  });

  it('creates its data anew after a first start that was interrupted, and removes only its own files', async () => {
    const folder = tempFolder('embedded');
    await mkdir(join(folder, 'postgres-18.unfinished'));
    await writeFile(join(folder, 'postgres-18.unfinished', 'PG_VERSION'), '18');
    await writeFile(join(folder, 'notes.txt'), 'mine');
    const server = await servers.start(folder);
    await write(server.url, 'anna');
    await server.stop();
    expect((await readdir(folder)).sort()).toEqual(['notes.txt', 'postgres-18', 'postgres-password']);
    await removeEmbeddedPostgres(folder);
    expect(await readdir(folder)).toEqual(['notes.txt']);
  });
});
