import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase } from '@chat-realtime/database';
import { isAlive, processTree, tempFolder, until } from '@chat-realtime/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { hasCode } from './errors.ts';
import { removeEmbeddedPostgres } from './remove.ts';

const running: EmbeddedPostgres[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function start(folder: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres(folder);
  running.push(server);
  return server;
}

async function write(url: string, name: string): Promise<void> {
  const database = await openDatabase(url, { durable: true });
  await database.kysely.insertInto('chat_operator').values({ id: name, role: 'operator' }).execute();
  await database.close();
}

async function names(url: string): Promise<string[]> {
  const database = await openDatabase(url, { durable: true });
  const rows = await database.kysely.selectFrom('chat_operator').select('id').orderBy('id').execute();
  await database.close();
  return rows.map(({ id }) => id);
}

/** A process of its own, as a chat that is about to be killed. */
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

/** Who ended since the list was made, as a child does when its parent is gone, is what was wanted. */
function kill(pids: readonly number[]): void {
  for (const pid of pids.filter(isAlive)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!hasCode(error, 'ESRCH')) throw error;
    }
  }
}

describe('the embedded PostgreSQL, its process and its folder', () => {
  it('[OPS32] ends with the process that started it, also when that is killed', async () => {
    const folder = tempFolder('embedded');
    const { process: child, pid } = await owner(folder);
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await until(() => !isAlive(pid), { timeoutMs: 20_000, what: 'the end of the server' });
  });

  it('[OPS32] begins after a process that was killed with its guard, whose server still runs, or is dead', async () => {
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
    // The number of a dead server may be anybody's by now: here it is that of this process.
    const lockFile = join(folder, 'postgres-18', 'postmaster.pid');
    const text = await readFile(lockFile, 'utf8');
    await until(() => !isAlive(second.pid), { what: 'the end of the server' });
    await writeFile(lockFile, text.replace(/^\d+/, String(process.pid)));
    expect(await names((await start(folder)).url)).toEqual(['anna', 'boris']);
  });

  it('makes its data anew after a first start that was cut short, and removes only what is its own', async () => {
    const folder = tempFolder('embedded');
    await mkdir(join(folder, 'postgres-18.unfinished'));
    await writeFile(join(folder, 'postgres-18.unfinished', 'PG_VERSION'), '18');
    await writeFile(join(folder, 'notes.txt'), 'mine');
    const server = await start(folder);
    await write(server.url, 'anna');
    await server.stop();
    expect((await readdir(folder)).sort()).toEqual(['notes.txt', 'postgres-18', 'postgres-password']);
    await removeEmbeddedPostgres(folder);
    expect(await readdir(folder)).toEqual(['notes.txt']);
  });
});
