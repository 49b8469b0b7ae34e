import { type Database, openDatabase } from '@chat-realtime/database';
import { createMemoryFanout } from '@chat-realtime/messaging';
import { type StaffEvent, staffEventSchema } from '@chat-realtime/protocol';
import { closeHttpApp, createHttpApp, createLogger, createMetrics, Health } from '@chat-realtime/service-kit';
import { FakeBotApi, freePort } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTelegramBot, type TelegramBot } from './bot.ts';
import type { ChatService } from './ports.ts';
import { TelegramModule } from './webhook.module.ts';

const SECRET = 'secret-of-the-webhook-0001';
const AT = '2026-01-01T10:00:00Z';
const PERSON = 8_001;
const elsewhere = (): never => {
  throw new Error('nothing of this is asked for');
};

let api: FakeBotApi;
let database: Database;
let bot: TelegramBot;
let app: Awaited<ReturnType<typeof createHttpApp>>;
let address: string;
let session: number;
let listener: (frame: string) => void | Promise<void>;
const written: string[] = [];
const feed: StaffEvent[] = [];

beforeAll(async () => {
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  [api, database] = await Promise.all([FakeBotApi.start(), openDatabase('pglite:memory')]);
  const made = await sql<{ id: number }>`INSERT INTO chat_session (name) VALUES ('Вера') RETURNING id`.execute(
    database.kysely,
  );
  session = Number(made.rows[0]?.id);
  await sql`INSERT INTO customer_telegram (session_id, telegram_user_id) VALUES (${session}::bigint, ${PERSON})`.execute(
    database.kysely,
  );
  const message = (body: string) => ({
    ...{ id: written.length, body, attachments: [], created_at: AT, client_message_id: null },
  });
  const chatService: ChatService = {
    ...{ redeem: elsewhere, act: elsewhere, upload: elsewhere, openFile: elsewhere, blocked: elsewhere },
    introduce: async () => undefined,
    write: async ({ body }) => {
      written.push(body);
      return { session_id: session, created: false, message: { ...message(body), sender_type: 'client' } };
    },
  };
  const logger = createLogger({ service: 'telegram-bot', level: 'silent' });
  const metrics = createMetrics('telegram-bot');
  bot = createTelegramBot({
    config: {
      TELEGRAM_BOT_TOKEN: api.token,
      TELEGRAM_API_ROOT: api.url,
      TELEGRAM_MODE: 'webhook',
      TELEGRAM_WEBHOOK_SECRET: SECRET,
      TELEGRAM_STAFF_GROUP_ID: undefined,
      TELEGRAM_STAFF_GROUP_LANGUAGE: 'ru',
      PUBLIC_URL: address,
    },
    ...{ database, chatService, logger, metrics, fanout: createMemoryFanout() },
    source: {
      feed: async (after = 0) => ({
        events: feed.filter(({ feed_seq: n = 0 }) => n > after),
        ...{ cursor: feed.length, hasMore: false, reset: false },
      }),
      acks: async () => undefined,
    },
    frames: {
      connected: true,
      start: (take) => {
        listener = take;
      },
      stop: async () => undefined,
    },
  });
  app = await createHttpApp({
    modules: [TelegramModule.forRoot(bot)],
    ...{ logger, metrics, health: new Health(), port, host: '127.0.0.1' },
  });
});
afterAll(async () => {
  await bot.stop();
  await closeHttpApp(app);
  await Promise.all([api.stop(), database.close()]);
});

async function answer(body: string): Promise<void> {
  const n = feed.length + 1;
  const data = { id: n, sender_type: 'operator', sender_id: 'anna', sender_name: 'Анна', body, attachments: [] };
  const event = staffEventSchema.parse({
    ...{ type: 'chat.message', session_id: session, seq: n, feed_seq: n },
    data: { ...data, created_at: AT, client_message_id: null },
  });
  feed.push(event);
  await listener(JSON.stringify(event));
}

it('[TG13] an update goes from the webhook to the chat, and the answer back; without the secret nothing happens', async () => {
  await expect.poll(() => api.webhook).toEqual({ url: `${address}/telegram/webhook`, secret: SECRET });
  expect(api.webhookConnections).toBe(1);
  const phone = api.person({ id: PERSON, name: 'Вера' });
  const forge = async (secret: string | undefined): Promise<number> => {
    const message = { message_id: 1, date: 1, chat: { id: PERSON, type: 'private' }, text: 'Подделка' };
    const from = { id: PERSON, is_bot: false, first_name: 'Вера' };
    const response = await fetch(`${address}/telegram/webhook`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(secret === undefined ? {} : { 'x-telegram-bot-api-secret-token': secret }),
      },
      body: JSON.stringify({ update_id: 999_999, message: { ...message, from } }),
    });
    await response.body?.cancel();
    return response.status;
  };
  for (const secret of [undefined, '', 'wrong', `${SECRET}x`, SECRET.slice(1)]) expect(await forge(secret)).toBe(401);

  const { update_id: id } = phone.send('Где мой заказ?');
  await expect.poll(() => written).toEqual(['Где мой заказ?']);
  await answer('В пути');
  await expect.poll(() => phone.shown.map(({ text }) => text)).toEqual(['Анна\nВ пути']);
  // Redelivered, as after a lost response.
  api.redeliver(id);
  phone.send('Спасибо');
  await expect.poll(() => written).toEqual(['Где мой заказ?', 'Спасибо']);
  expect(api.timesGiven(id)).toBe(2);
  expect(api.calls).not.toContain('getUpdates');
});
