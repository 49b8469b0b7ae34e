import { Readable } from 'node:stream';
import { ChatError } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import type { ChatService } from '../ports.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { TelegramFailure } from '../telegram/failures.ts';
import { patientDownloads } from '../telegram/patient-downloads.ts';
import { RetryBudget } from '../telegram/retry-budget.ts';
import { textsFor } from '../texts.ts';
import { bringFiles } from './files.ts';

const texts = textsFor('ru');
const OWNER = { kind: 'operator', telegramUserId: 501, sessionId: 13 } as const;
const FILES = ['a.pdf', 'b.pdf'].map((name) => ({ fileId: name, name, size: 5 }));
const elsewhere = (): never => {
  throw new Error('nothing of this is asked for');
};

const READABLE = { download: async () => ({ content: Readable.from(['x']), size: 1 }) };
const bring = (upload: ChatService['upload'], api: Pick<TelegramApi, 'download'> = READABLE) => {
  const others = { introduce: elsewhere, redeem: elsewhere, act: elsewhere, write: elsewhere };
  const chatService: ChatService = { ...others, blocked: elsewhere, openFile: elsewhere, upload };
  return bringFiles(FILES, OWNER, { api, chatService, texts });
};
const failing = (code: ConstructorParameters<typeof ChatError>[0]) => async () => {
  throw new ChatError(code, 'no');
};

/** Three tries without pauses. */
const patient = (download: TelegramApi['download']) =>
  patientDownloads({ download }, new RetryBudget({ isThere: () => true, tries: 3, lastsMs: 0 }));
const broken = () =>
  new Readable({
    read() {
      this.destroy(new Error('ECONNRESET'));
    },
  });
const readAll: ChatService['upload'] = async (_owner, { name, content }) => {
  for await (const _chunk of content);
  return { id: name, name, mime: 'application/pdf', size: 1 };
};
/** Over HTTP, an interrupted body looks like a connection that ended. */
const asOverHttp: ChatService['upload'] = (owner, file) =>
  readAll(owner, file).catch(() => {
    throw new ChatError('unavailable', 'chat-service does not answer');
  });

describe('[TG30] a file that a person sent', () => {
  it('is refused if the disk is full: its text is sent without it, and nothing waits for free space', async () => {
    expect(await bring(failing('storage_full'))).toEqual({
      ids: [],
      problems: FILES.map(({ name }) => texts.fileRefused(name)),
      lost: [],
    });
  });

  it('waits if chat-service is unavailable for a moment', async () => {
    await expect(bring(failing('unavailable'))).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('waits a limited time if Telegram does not deliver it: then the others are sent, and it is named', async () => {
    const api = patient(async (fileId) => {
      if (fileId === 'a.pdf') throw new TelegramFailure('unknown', 'getFile: 500');
      return { content: Readable.from(['x']), size: 1 };
    });
    await expect(bring(asOverHttp, api)).rejects.toMatchObject({ code: 'unknown', retryAfterSeconds: 2 });
    await expect(bring(asOverHttp, api)).rejects.toMatchObject({ code: 'unknown', retryAfterSeconds: 4 });
    expect(await bring(asOverHttp, api)).toEqual({
      ids: ['b.pdf'],
      problems: [texts.fileLost('a.pdf')],
      lost: ['a.pdf'],
    });
  });

  it('waits as long, and no longer, if its transfer breaks off each time, which is no fault of chat-service', async () => {
    const api = patient(async (fileId) => ({ content: fileId === 'a.pdf' ? broken() : Readable.from(['x']), size: 1 }));
    for (const _try of [1, 2]) await expect(bring(asOverHttp, api)).rejects.toMatchObject({ code: 'unknown' });
    expect(await bring(asOverHttp, api)).toMatchObject({ ids: ['b.pdf'], lost: ['a.pdf'] });
  });
});
