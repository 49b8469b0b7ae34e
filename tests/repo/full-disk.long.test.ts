import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, tempFolder } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const ON_SMALL_DISK = 'mount -t tmpfs -o size=160m chat-test "$1" && exec "$2" "$3" "$4" "$1" "$5"';

describe('a full disk', () => {
  it('[OPS24] npm start, killed on a full disk, starts again, and takes messages as soon as there is room', async () => {
    const args = [tempFolder('full-disk'), process.execPath, path('full-disk.mjs')];
    const more = [path('../../apps/standalone/dist/main.js'), String(await freePort())];
    // Who is root mounts at once, others as root of a namespace of their own.
    const namespace = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
    const { stdout } = await run('unshare', [...namespace, 'sh', '-c', ON_SMALL_DISK, 'sh', ...args, ...more]);
    expect(JSON.parse(stdout)).toEqual({ before: 201, full: 507, starts: [true, true], ready: [200, 200], after: 201 });
  }, 180_000);
});
