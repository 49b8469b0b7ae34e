import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardFolder } from './folder-guard.ts';

describe('guard of a data folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-guard-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('is not blocked by what a killed process left behind', async () => {
    const code = `require('node:net').createServer().listen({ path: process.argv[1] }, () => console.log('bound'))`;
    const child = spawn(process.execPath, ['-e', code, join(folder, 'in-use.sock')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await readdir(folder)).toContain('in-use.sock');
    const guard = await guardFolder(folder);
    await expect(guardFolder(folder)).rejects.toThrow('in use');
    await guard.release();
  });

  it('has one winner among many who start at once beside a stale socket', async () => {
    const code = `require('node:net').createServer().listen({ path: process.argv[1] }, () => process.kill(process.pid, 'SIGKILL'))`;
    const child = spawn(process.execPath, ['-e', code, join(folder, 'in-use.sock')]);
    await once(child, 'exit');
    const tries = await Promise.allSettled(Array.from({ length: 12 }, () => guardFolder(folder)));
    const won = tries.filter((result) => result.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await expect(guardFolder(folder)).rejects.toThrow('in use');
    for (const { value } of won) await value.release();
  });

  it('works in a folder whose path is longer than a socket path may be', async () => {
    const long = join(folder, 'x'.repeat(120));
    const guard = await guardFolder(long);
    await expect(guardFolder(long)).rejects.toThrow('in use');
    await guard.release();
    await (await guardFolder(long)).release();
  });
});
