import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardFolder } from './folder-guard.ts';
import { DatabaseStartError } from './types.ts';

/** A socket whose owner was killed. */
async function leaveStale(path: string): Promise<void> {
  const code = `require('node:net').createServer().listen({ path: process.argv[1] }, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', code, path]), 'exit');
}

describe('guard of a data folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-guard-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('is not blocked by what a killed process left behind', async () => {
    await leaveStale(join(folder, 'in-use.0.sock'));
    expect(await readdir(folder)).toEqual(['in-use.0.sock']);
    const guard = await guardFolder(folder);
    await expect(guardFolder(folder)).rejects.toThrow('in use');
    await guard.release();
  });

  it('has one winner among many who start at once beside a stale socket', async () => {
    // One try would not reveal a race with two winners in one of ten.
    for (let round = 0; round < 20; round += 1) {
      const shared = join(folder, String(round));
      await mkdir(shared);
      await leaveStale(join(shared, 'in-use.0.sock'));
      const tries = await Promise.allSettled(Array.from({ length: 12 }, () => guardFolder(shared)));
      const won = tries.filter((result) => result.status === 'fulfilled');
      expect(won).toHaveLength(1);
      await expect(guardFolder(shared)).rejects.toThrow('in use');
      for (const { value } of won) await value.release();
      expect(await readdir(shared)).toEqual([]);
    }
  });

  it('has no second owner while processes start and end', async () => {
    let owners = 0;
    let most = 0;
    let times = 0;
    const starter = async (): Promise<void> => {
      while (times < 40) {
        const guard = await guardFolder(folder).catch((error: unknown) => {
          if (error instanceof DatabaseStartError) return null;
          throw error;
        });
        if (guard === null) {
          await sleep(Math.random() * 20);
          continue;
        }
        owners += 1;
        times += 1;
        most = Math.max(most, owners);
        await sleep(2);
        owners -= 1;
        await guard.release();
      }
    };
    await Promise.all(Array.from({ length: 6 }, starter));
    expect(most).toBe(1);
  });

  it('works in a folder whose path is longer than a socket path may be', async () => {
    const long = join(folder, 'x'.repeat(120));
    const guard = await guardFolder(long);
    await expect(guardFolder(long)).rejects.toThrow('in use');
    await guard.release();
    await (await guardFolder(long)).release();
  });
});
