import { createHttpApp, createLogger, createMetrics, Health } from '@chat-realtime/service-kit';
import type { Update } from 'grammy/types';
import { afterEach, describe, expect, it } from 'vitest';
import type { TelegramBot } from './bot.ts';
import { TelegramModule } from './webhook.module.ts';

const SECRET = 'secret-of-the-webhook-01';

describe('the webhook', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  const begin = async (webhookSecret: string | null) => {
    const taken: Update[] = [];
    const bot: TelegramBot = {
      webhookSecret,
      start: () => undefined,
      take: async (update) => void taken.push(update),
      assertAccepted: () => undefined,
      stop: async () => undefined,
    };
    const app = await createHttpApp({
      modules: [TelegramModule.forRoot(bot)],
      logger: createLogger({ service: 'telegram-bot', level: 'silent' }),
      metrics: createMetrics('telegram-bot'),
      health: new Health(),
    });
    closing.push(() => app.close());
    const post = async (secret: string | undefined, payload: string = JSON.stringify({ update_id: 5 })) =>
      (
        await app.inject({
          method: 'POST',
          url: '/telegram/webhook',
          headers: {
            'content-type': 'application/json',
            ...(secret === undefined ? {} : { 'x-telegram-bot-api-secret-token': secret }),
          },
          payload,
        })
      ).statusCode;
    return { taken, post };
  };

  it('[TG13] accepts an update with the secret, and none without it', async () => {
    const { taken, post } = await begin(SECRET);
    expect([await post(undefined), await post('wrong'), await post(`${SECRET}x`), await post('')]).toEqual([
      401, 401, 401, 401,
    ]);
    expect(taken).toEqual([]);
    expect(await post(SECRET)).toBe(200);
    expect(taken).toEqual([{ update_id: 5 }]);
  });

  it('[TG13] refuses what is not an update', async () => {
    const { taken, post } = await begin(SECRET);
    expect([await post(SECRET, '{'), await post(SECRET, '{}'), await post(SECRET, '{"update_id":"x"}')]).toEqual([
      400, 422, 422,
    ]);
    expect(taken).toEqual([]);
  });

  it('[TG13] does not exist if the bot polls, whatever the credentials', async () => {
    const { post } = await begin(null);
    expect([await post(undefined), await post('null'), await post('')]).toEqual([404, 404, 404]);
  });
});
