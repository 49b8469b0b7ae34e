import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createDatabase, TcpProxy } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { openDatabase } from './index.ts';

/** A separate process that takes the lock in a session with a limit of 3 s, and then only waits. */
async function holdLock(url: string, lock: number): Promise<ChildProcess> {
  const code = `const { openDatabase } = await import(${JSON.stringify(new URL('./open.ts', import.meta.url).href)});
    const session = await (await openDatabase(${JSON.stringify(url)})).acquireSession({ silenceMs: 3_000 });
    console.log((await session.tryLock(${lock})) ? 'held' : 'taken');
    setInterval(() => undefined, 1_000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(holder.stdout, 'data');
  expect(String(said).trim()).toBe('held');
  return holder;
}

describe('a dedicated session on PostgreSQL', () => {
  const LOCK = 4_711;

  it('loses its locks within 3 s when its process is stopped, cut off or killed, and keeps them while it lives', async () => {
    const url = await createDatabase();
    const db = await openDatabase(url);
    const proxy = await TcpProxy.start({ target: url });
    const holders: Record<string, { url: string; harm(holder: ChildProcess): void }> = {
      stopped: { url, harm: (holder) => holder.kill('SIGSTOP') },
      'cut off': { url: proxy.urlFor(url), harm: () => proxy.halfOpen() },
      killed: { url, harm: (holder) => holder.kill('SIGKILL') },
    };
    for (const [name, { url: via, harm }] of Object.entries(holders)) {
      const holder = await holdLock(via, LOCK);
      const other = await db.acquireSession();
      // Longer than the limit: an idle session keeps its lock by its own pings.
      await new Promise((resolve) => setTimeout(resolve, name === 'stopped' ? 4_000 : 300));
      expect([name, await other.tryLock(LOCK)]).toEqual([name, false]);
      const harmedAt = performance.now();
      harm(holder);
      while (!(await other.tryLock(LOCK))) {
        expect([name, performance.now() - harmedAt < 4_000]).toEqual([name, true]);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      holder.kill('SIGKILL');
      await other.release();
    }
    await proxy.close();
    await db.close();
  }, 30_000);
});
