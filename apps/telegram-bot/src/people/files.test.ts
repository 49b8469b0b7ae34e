import { Readable } from 'node:stream';
import { ChatError } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import type { Desk } from '../ports.ts';
import { textsFor } from '../texts.ts';
import { bringFiles } from './files.ts';

const texts = textsFor('ru');
const OWNER = { kind: 'operator', telegramUserId: 501, sessionId: 13 } as const;
const FILES = ['a.pdf', 'b.pdf'].map((name) => ({ fileId: name, name, size: 5 }));
const elsewhere = (): never => {
  throw new Error('nothing of this is asked for');
};

const bring = (upload: Desk['upload']) => {
  const others = { introduce: elsewhere, redeem: elsewhere, act: elsewhere, write: elsewhere };
  const desk: Desk = { ...others, blocked: elsewhere, openFile: elsewhere, upload };
  const api = { download: async () => ({ content: Readable.from(['x']), size: 1 }) };
  return bringFiles(FILES, OWNER, { api, desk, texts });
};
const failing = (code: ConstructorParameters<typeof ChatError>[0]) => async () => {
  throw new ChatError(code, 'no');
};

describe('[TG30] a file that somebody sent', () => {
  it('is refused where the disk is full: its text goes without it, and nothing waits until somebody clears the disk', async () => {
    expect(await bring(failing('storage_full'))).toEqual({
      ids: [],
      problems: FILES.map(({ name }) => texts.fileRefused(name)),
    });
  });

  it('waits where chat-service is away for a moment', async () => {
    await expect(bring(failing('unavailable'))).rejects.toMatchObject({ code: 'unavailable' });
  });
});
