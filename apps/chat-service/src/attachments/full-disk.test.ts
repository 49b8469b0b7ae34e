import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { attachmentSchema, createSessionResponseSchema } from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';

const run = promisify(execFile);
const FULL = Buffer.from('text that does not fit. '.repeat(25_000));

/** A file system of 256 KiB, which a larger upload really fills. */
const mount = (folder: string) => run('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'chat-test', folder]);

async function filesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

describe('a full disk', () => {
  let folder: string;
  let mounted = false;
  beforeAll(async () => {
    folder = await mkdtemp(`${tmpdir()}/chat-full-disk-`);
    mounted = await mount(folder).then(
      () => true,
      // Not root, or not permitted: then the test uses its own namespace, see below.
      () => false,
    );
  });
  afterAll(async () => {
    if (mounted) await run('umount', [folder]);
    await rm(folder, { recursive: true, force: true });
  });

  it('[ERR10] [ATT] an upload that finds no space is 507 and leaves nothing behind, and the service continues', async () => {
    if (!mounted) {
      const script = fileURLToPath(new URL('../../test/write-on-full-disk.ts', import.meta.url));
      const command = 'mount -t tmpfs -o size=256k chat-test "$1" && exec "$2" --conditions=source "$3" "$1"';
      const args = [
        '--user',
        '--map-root-user',
        '--mount',
        'sh',
        '-c',
        command,
        'sh',
        folder,
        process.execPath,
        script,
      ];
      const { stdout } = await run('unshare', args);
      expect(JSON.parse(stdout)).toEqual({ code: 'storage_full', files: 0, small: 100 });
      return;
    }
    const chat = await ChatUnderTest.start({}, folder);
    try {
      const { session, token } = (await chat.call('POST', '/chat/session', { body: {} })).as(
        createSessionResponseSchema,
      );
      const upload = (raw: Buffer) =>
        chat.call('POST', `/chat/session/${session.id}/attachments`, {
          token,
          raw,
          headers: { 'x-file-name': 'note.txt' },
        });
      for (let time = 0; time < 2; time += 1) {
        const refused = await upload(FULL);
        expect([refused.status, refused.code]).toEqual([507, 'storage_full']);
        expect(await filesIn(folder)).toBe(0);
      }
      const rows = await chat.database.kysely.selectFrom('chat_attachment').select('id').execute();
      expect(rows).toEqual([]);
      expect((await upload(FULL.subarray(0, 10_000))).as(attachmentSchema).size).toBe(10_000);
    } finally {
      await chat.stop();
    }
  });
});
