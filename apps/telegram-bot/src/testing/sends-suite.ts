import { Readable } from 'node:stream';
import type { Database } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { createLogger, createMetrics, type Metrics } from '@chat-realtime/service-kit';
import { FakeBotApi, type ShownMessage } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { botMetrics } from '../metrics.ts';
import { Sender } from '../outgoing/sender.ts';
import { People } from '../storage/people.ts';
import { SendStore } from '../storage/sends.ts';
import { createTelegramApi } from '../telegram/api.ts';

const BOT = 77;
const CHAT = 601;

export function sendsSuite(opened: () => Database): void {
  async function sent(botId: number, sessionId: number, telegramId: number): Promise<void> {
    const sends = new SendStore(opened(), botId);
    const content = { kind: 'text', text: 'x' } as const;
    await sends.add([{ to: { kind: 'anybody', chatId: CHAT }, content, sessionId, seq: 1, messageId: 1 }]);
    const due = (await sends.due([])).find(({ chatId }) => chatId === CHAT);
    if (due === undefined) throw new Error('nothing is due');
    await sends.sent(due, [telegramId]);
  }

  describe('[TG22] a number in Telegram', () => {
    it('stands for the text of the bot that sent it, whatever a bot before it sent under that number', async () => {
      await sent(77, 1, 5);
      await sent(78, 2, 5);
      const [before, after] = [new People(opened(), 77), new People(opened(), 78)];
      expect((await before.message(CHAT, 5))?.sessionId).toBe(1);
      expect((await after.message(CHAT, 5))?.sessionId).toBe(2);
      expect(await after.message(CHAT, 6)).toBeUndefined();
      // What stands in the chat with the old bot was not read in the one with the new.
      expect(await after.shown(CHAT, 1)).toEqual({ seq: null, messageId: null });
    });

    it('is of the bot that is here now, where a version that does not say it wrote the row', async () => {
      await sent(0, 4, 8);
      expect((await new People(opened(), 78).message(CHAT, 8))?.sessionId).toBe(4);
      await sent(78, 5, 8);
      expect((await new People(opened(), 78).message(CHAT, 8))?.sessionId).toBe(5);
    });

    it('stands for what it was used for last', async () => {
      await sent(77, 3, 5);
      expect((await new People(opened(), 77).message(CHAT, 5))?.sessionId).toBe(3);
    });
  });

  describe('[TG23] a file that Telegram does not take', () => {
    const CUSTOMER = 602;
    let api: FakeBotApi;
    let sender: Sender;
    let sends: SendStore;
    let registry: Metrics;
    let canOpen = true;
    const files = new Map<string, Buffer>();

    beforeAll(async () => {
      api = await FakeBotApi.start();
    });
    afterAll(() => api.stop());
    beforeEach(() => {
      canOpen = true;
      registry = createMetrics('telegram-bot');
      sends = new SendStore(opened(), BOT);
      const logger = createLogger({ service: 'telegram-bot', level: 'silent' });
      const frames = { connected: true, start: () => undefined, stop: async () => undefined };
      const elsewhere = (): never => {
        throw new Error('nothing of this is asked for');
      };
      sender = new Sender({
        sends,
        api: createTelegramApi({
          token: api.token,
          root: api.url,
          commands: () => [],
          openFile: async ({ url }) => {
            if (!canOpen) throw new ChatError('unavailable', 'not now');
            const bytes = files.get(url);
            return bytes === undefined ? null : Readable.from([bytes]);
          },
        }),
        desk: { blocked: elsewhere },
        marks: { wake: () => undefined },
        metrics: botMetrics(registry, frames, sends),
        logger,
      });
      sender.start();
    });
    afterEach(() => sender.stop());

    async function send(mime: string, bytes: Buffer | null, count = 1): Promise<ShownMessage> {
      const before = api.shownTo(CUSTOMER).length;
      const url = `/f/${files.size}`;
      files.set(url, bytes ?? Buffer.alloc(0));
      if (bytes === null) files.delete(url);
      const file = { url, name: 'x', mime, size: 5 };
      const content = { kind: 'files', files: Array.from({ length: count }, () => file), caption: 'Вот' } as const;
      await sends.add([{ to: { kind: 'anybody', chatId: CUSTOMER }, content }]);
      sender.wake();
      await expect.poll(() => api.shownTo(CUSTOMER).length).toBeGreaterThan(before);
      return api.shownTo(CUSTOMER)[before] ?? expect.fail('nothing was shown');
    }
    const png = (width: number, height: number): Buffer => {
      const head = Buffer.alloc(24);
      head.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
      head.writeUInt32BE(width, 16);
      head.writeUInt32BE(height, 20);
      return head;
    };
    const kinds = ({ text, files: shown }: ShownMessage) => [text, ...shown.map(({ kind }) => kind)];

    it('as a picture comes as a document, with its text', async () => {
      expect(kinds(await send('image/png', png(300, 200)))).toEqual(['Вот', 'photo']);
      expect(kinds(await send('image/png', png(100, 5_000)))).toEqual(['Вот', 'document']);
      expect(kinds(await send('image/jpeg', Buffer.from('broken')))).toEqual(['Вот', 'document']);
      expect(kinds(await send('image/png', png(100, 5_000), 2))).toEqual(['Вот', 'document']);
    });

    it('as voice, where somebody wants none, comes as a document', async () => {
      expect(kinds(await send('audio/ogg', Buffer.from('OggS')))).toEqual(['Вот', 'voice']);
      api.forbidVoice(CUSTOMER);
      expect(kinds(await send('audio/ogg', Buffer.from('OggS')))).toEqual(['Вот', 'document']);
    });

    it('at all, or that is gone, leaves its text, which says so', async () => {
      const said = 'Вот\n📎 ×1 — см. чат на сайте / see the chat on the site';
      api.faults.next('sendDocument', { kind: 'error', code: 400, description: 'Bad Request: no' });
      expect(kinds(await send('application/pdf', Buffer.from('x')))).toEqual([said]);
      expect(kinds(await send('application/pdf', null))).toEqual([said]);
    });

    it('because it cannot be opened now waits, and is not counted as sent twice', async () => {
      canOpen = false;
      setTimeout(() => (canOpen = true), 100);
      expect(kinds(await send('image/png', png(300, 200)))).toEqual(['Вот', 'photo']);
      expect(await registry.collect()).toContain('chat_telegram_ambiguous_sends_total{cause="no_answer"} 0');
    });
  });
}
