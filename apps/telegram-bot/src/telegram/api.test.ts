import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { FakeBotApi } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTelegramApi, type TelegramApi } from './api.ts';
import { TelegramFailure } from './failures.ts';

describe('[TG30] a file that a person sent', () => {
  let fake: FakeBotApi;
  let api: TelegramApi;
  let folder: string;

  beforeAll(async () => {
    fake = await FakeBotApi.start();
    api = createTelegramApi({ token: fake.token, root: fake.url, openFile: async () => null, commands: () => [] });
    folder = await mkdtemp(join(tmpdir(), 'bot-api-'));
  });
  afterAll(async () => {
    await fake.stop();
    await rm(folder, { recursive: true });
  });

  const keep = (text: string) => fake.keepFile({ name: 'x', bytes: Buffer.from(text) });
  const content = async (id: string): Promise<string> => (await buffer((await api.download(id)).content)).toString();
  /** How it fails: permanently, or for now. */
  const failure = (id: string): Promise<string> =>
    api.download(id).then(
      () => 'none',
      (error: unknown) => {
        if (!(error instanceof TelegramFailure)) throw error;
        expect(error.message).not.toContain(fake.token);
        return error.code;
      },
    );

  it('is downloaded', async () => {
    expect(await content(keep('Привет'))).toBe('Привет');
  });

  it('is refused permanently if Telegram no longer has it, or it is too big for bots, and delays nothing', async () => {
    const id = keep('x');
    fake.faults.next('getFile', { kind: 'error', code: 404, description: 'Not Found' });
    expect(await failure(id)).toBe('refused');
    fake.faults.next('getFile', { kind: 'error', code: 400, description: 'Bad Request: file is too big' });
    expect(await failure(id)).toBe('refused');
    fake.loseFile(id);
    expect(await failure(id)).toBe('refused');
  });

  it('is retried if Telegram cannot deliver it now', async () => {
    const id = keep('x');
    fake.faults.next('getFile', { kind: 'error', code: 502 });
    expect(await failure(id)).toBe('unknown');
    fake.faults.next('getFile', { kind: 'error', code: 429, parameters: { retry_after: 3 } });
    expect(await failure(id)).toBe('rate_limited');
    expect(await content(id)).toBe('x');
  });

  it('is read from disk if the Bot API server runs with --local, only from the folder of this bot', async () => {
    const own = join(folder, fake.token, 'documents');
    await mkdir(own, { recursive: true });
    const id = keep('x');
    await writeFile(join(own, 'file_1.txt'), 'с диска');
    fake.localPath(id, join(own, 'file_1.txt'));
    expect(await content(id)).toBe('с диска');

    await writeFile(join(folder, 'secret'), 'x');
    fake.localPath(id, join(folder, 'secret'));
    expect(await failure(id)).toBe('refused');
    fake.localPath(id, join(own, '..', '..', 'secret'));
    expect(await failure(id)).toBe('refused');
    await symlink(join(folder, 'secret'), join(own, 'link'));
    fake.localPath(id, join(own, 'link'));
    expect(await failure(id)).toBe('refused');
    fake.localPath(id, join(own, 'gone'));
    expect(await failure(id)).toBe('refused');
  });
});
