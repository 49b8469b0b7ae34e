import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '@chat-realtime/testkit';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/admin/main.js', import.meta.url));

// Starts a PostgreSQL of its own twice; on a busy machine each start may take several times as long.
it('[RES10] reaches the embedded database if no address is given', { timeout: 180_000 }, () => {
  const env = { PATH: process.env['PATH'], DATA_DIR: join(tempFolder('admin-embedded'), 'data') };
  const called = (name: string): string => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, name, '--json'], { env, encoding: 'utf8' });
    expect([name, status, stderr]).toEqual([name, 0, '']);
    return stdout;
  };
  // The first start of the chat does the same.
  expect(called('migrate')).toContain('"done":true');
  expect(called('new-epoch')).toContain('"epoch"');
});
