import { Readable } from 'node:stream';
import type { Database } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { createLogger, createMetrics, type Metrics } from '@chat-realtime/service-kit';
import { FakeBotApi, type ShownMessage } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { botMetrics } from '../metrics.ts';
import { Sender } from '../outgoing/sender.ts';
import { People } from '../storage/people.ts';
import { SendStore } from '../storage/sends.ts';
import { createTelegramApi } from '../telegram/api.ts';
import { RetryBudget } from '../telegram/retry-budget.ts';
import { textsFor } from '../texts.ts';

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
    let fault: 'unavailable' | 'internal_error' | null = null;
    let isThere = true;
    let now = 0;
    const files = new Map<string, Buffer>();

    beforeAll(async () => {
      api = await FakeBotApi.start();
    });
    afterAll(() => api.stop());
    beforeEach(() => {
      fault = null;
      isThere = true;
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
            if (fault !== null) throw new ChatError(fault, 'not now');
            const bytes = files.get(url);
            return bytes === undefined ? null : Readable.from([bytes]);
          },
        }),
        chatService: { blocked: elsewhere },
        marks: { wake: () => undefined },
        metrics: botMetrics(registry, frames, sends),
        // Each try comes a minute and a half after the one before.
        retryBudget: new RetryBudget({ isThere: () => isThere, now: () => (now += 90_000) }),
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
      const said = 'Вот\n📎 x — см. чат на сайте / see the chat on the site';
      api.faults.next('sendDocument', { kind: 'error', code: 400, description: 'Bad Request: no' });
      expect(kinds(await send('application/pdf', Buffer.from('x')))).toEqual([said]);
      expect(kinds(await send('application/pdf', null))).toEqual([said]);
    });

    it('because it cannot be opened now waits, and is not counted as sent twice', async () => {
      fault = 'unavailable';
      setTimeout(() => (fault = null), 100);
      expect(kinds(await send('image/png', png(300, 200)))).toEqual(['Вот', 'photo']);
      expect(await registry.collect()).toContain('chat_telegram_ambiguous_sends_total{cause="no_answer"} 0');
    });

    describe('and says nothing else to', () => {
      const sink = { kind: 'error', code: 500 } as const;
      let lift = (): void => undefined;
      let hurry: NodeJS.Timeout;
      beforeEach(() => {
        // Its pauses are not waited for.
        hurry = setInterval(() => {
          sql`UPDATE telegram_send SET due_at = clock_timestamp()`.execute(opened().kysely).then(
            () => sender.wake(),
            () => undefined,
          );
        }, 10);
      });
      afterEach(async () => {
        clearInterval(hurry);
        lift();
        await sender.stop();
        await sql`DELETE FROM telegram_send`.execute(opened().kysely);
      });
      const text = (body: string) =>
        ({ to: { kind: 'anybody', chatId: CUSTOMER }, content: { kind: 'text', text: body } }) as const;
      const shownFrom = (from: number): string[] =>
        api
          .shownTo(CUSTOMER)
          .slice(from)
          .map((one) => kinds(one).join(' '));

      it('holds its chat for five minutes and not for ever: its text comes, names it, and what waits behind it comes too', async () => {
        lift = api.faults.next('sendDocument', sink, 1_000);
        const from = api.shownTo(CUSTOMER).length;
        await send('application/pdf', Buffer.from('x'));
        await sends.add([text('И дальше')]);
        const said = 'Вот\n📎 x — см. чат на сайте / see the chat on the site';
        await expect.poll(() => shownFrom(from)).toEqual([said, 'И дальше']);
      });

      it('as a picture comes as a document', async () => {
        lift = api.faults.next('sendPhoto', sink, 1_000);
        expect(kinds(await send('image/png', png(300, 200)))).toEqual(['Вот', 'document']);
      });

      it('is what chat-service fails at: its text comes without it', async () => {
        fault = 'internal_error';
        expect(kinds(await send('application/pdf', Buffer.from('x')))).toEqual([
          'Вот\n📎 x — см. чат на сайте / see the chat on the site',
        ]);
      });

      it('waits where Telegram answers nothing at all, however long that lasts', async () => {
        isThere = false;
        lift = api.faults.next('sendDocument', sink, 1_000);
        const file = { url: '/f/x', name: 'x', mime: 'application/pdf', size: 5 };
        files.set(file.url, Buffer.from('x'));
        const from = api.shownTo(CUSTOMER).length;
        await sends.add([{ ...text(''), content: { kind: 'files', files: [file], caption: 'Вот' } }]);
        const tries = async (): Promise<number> => {
          const { rows } = await sql<{ attempts: number }>`SELECT attempts FROM telegram_send`.execute(opened().kysely);
          return Number(rows[0]?.attempts);
        };
        await expect.poll(tries).toBeGreaterThan(8);
        expect(shownFrom(from)).toEqual([]);
        lift();
        await expect.poll(() => shownFrom(from)).toEqual(['Вот document']);
      });

      it('which is a text of a chat, has a line in its place', async () => {
        let refusals = 0;
        api.faults.always((method) => (method === 'sendMessage' && (refusals += 1) < 7 ? sink : undefined));
        lift = () => api.faults.always(() => undefined);
        const from = api.shownTo(CUSTOMER).length;
        await sends.add([{ ...text('Нет'), sessionId: 1, seq: 1, messageId: 1 }, text('И дальше')]);
        sender.wake();
        await expect.poll(() => shownFrom(from)).toEqual([textsFor(null).leftOut(1), 'И дальше']);
        expect(await registry.collect()).toContain('chat_telegram_left_out_total{what="text"} 1');
      });
    });
  });
}
