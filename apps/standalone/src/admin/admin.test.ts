import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/admin/main.js', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-admin-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function admin(...args: string[]): { code: number | null; out: string; err: string } {
  const env = { PATH: process.env['PATH'], DATA_DIR: folder };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { env, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

it('[RES10] new-epoch gives the database another epoch and says what follows, for people or machines', () => {
  const first = admin('new-epoch', '--json');
  expect(first).toMatchObject({ code: 0, err: '' });
  const { epoch }: { epoch: string } = JSON.parse(first.out);
  const second: { epoch: string; previous_epoch: string } = JSON.parse(admin('new-epoch', '--json').out);
  expect(second.previous_epoch).toBe(epoch);
  expect(second.epoch).not.toBe(epoch);
  expect(admin('new-epoch').out).toContain('new epoch');
}, 60_000);

it('lists its commands to whoever names none, as an error', () => {
  const { code, out, err } = admin();
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('new-epoch');
});
