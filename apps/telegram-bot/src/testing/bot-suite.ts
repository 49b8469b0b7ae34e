import type { Database } from '@chat-realtime/database';
import { createMemoryFanout } from '@chat-realtime/messaging';
import { staffEventSchema } from '@chat-realtime/protocol';
import { createLogger, createMetrics } from '@chat-realtime/service-kit';
import { FakeBotApi } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTelegramBot, type TelegramBot } from '../bot.ts';
import type { ChatService, FeedSource } from '../ports.ts';
import { DutyPresence } from '../presence.ts';
import { People } from '../storage/people.ts';
import { createTelegramApi } from '../telegram/api.ts';
import { Availability, watched } from '../telegram/availability.ts';

/** As the fake's token has it. */
const BOT = 7_000_000_001;
const CUSTOMER = 8_101;
const logger = createLogger({ service: 'telegram-bot', level: 'silent' });

export function botSuite(opened: () => Database): void {
  let api: FakeBotApi;
  let session: number;
  const stopping: (() => Promise<void>)[] = [];
  const run = (statement: ReturnType<typeof sql>) => statement.execute(opened().kysely);

  beforeEach(async () => {
    api = await FakeBotApi.start();
    for (const table of ['telegram_send', 'telegram_relay', 'operator_telegram', 'operator_presence', 'telegram_mark'])
      await run(sql`DELETE FROM ${sql.table(table)}`);
    await run(sql`INSERT INTO telegram_bot (bot_id, username) VALUES (${BOT}::bigint, 'shop_test_bot')
      ON CONFLICT (only_one) DO UPDATE SET bot_id = EXCLUDED.bot_id`);
    await longAgo();
    await run(sql`INSERT INTO operator_telegram (user_id, telegram_user_id, role, scope, on_duty)
      VALUES ('duty-1', 8102, 'operator', 'all', true)`);
    await run(sql`DELETE FROM customer_telegram WHERE telegram_user_id = ${CUSTOMER}`);
    const made = await sql<{ id: number }>`INSERT INTO chat_session (name) VALUES ('Вера') RETURNING id`.execute(
      opened().kysely,
    );
    session = Number(made.rows[0]?.id);
    await run(
      sql`INSERT INTO customer_telegram (session_id, telegram_user_id) VALUES (${session}::bigint, ${CUSTOMER})`,
    );
  });
  afterEach(async () => {
    for (const stop of stopping.splice(0)) await stop();
    await api.stop();
  });

  const longAgo = () => run(sql`UPDATE telegram_bot SET seen_at = clock_timestamp() - interval '1 hour'`);
  /** Mail, push and everything that counts operators depends on this. */
  async function counts(): Promise<{ runs: boolean; onDuty: string[] }> {
    const bots = await sql<{ runs: boolean }>`
      SELECT seen_at > clock_timestamp() - interval '1 minute' AS runs FROM telegram_bot`.execute(opened().kysely);
    const operators = await sql<{ user_id: string }>`SELECT user_id FROM operator_presence`.execute(opened().kysely);
    return { runs: bots.rows[0]?.runs === true, onDuty: operators.rows.map(({ user_id: id }) => id) };
  }
  const REACHED = { runs: true, onDuty: ['duty-1'] };
  const AWAY = { runs: false, onDuty: [] };

  interface Started {
    readonly bot: TelegramBot;
    /** The requests to chat-service. */
    readonly asked: string[];
    readonly deliver: (frame: string) => void | Promise<void>;
  }
  function startBot(): Started {
    const asked: string[] = [];
    let listener: (frame: string) => void | Promise<void> = () => undefined;
    const notAsked = (name: string) => async (): Promise<never> => {
      asked.push(name);
      throw new Error('nothing of this is asked for');
    };
    const chatService: ChatService = {
      introduce: async () => void asked.push('introduce'),
      ...{ redeem: notAsked('redeem'), act: notAsked('act'), write: notAsked('write') },
      ...{ upload: notAsked('upload'), openFile: notAsked('openFile'), blocked: notAsked('blocked') },
    };
    const source: FeedSource = {
      feed: async () => {
        asked.push('feed');
        return { events: [], cursor: 0, hasMore: false, reset: false };
      },
      acks: async () => void asked.push('acks'),
    };
    const bot = createTelegramBot({
      config: {
        TELEGRAM_BOT_TOKEN: api.token,
        TELEGRAM_API_ROOT: api.url,
        TELEGRAM_MODE: 'poll',
        TELEGRAM_WEBHOOK_SECRET: undefined,
        TELEGRAM_STAFF_GROUP_ID: undefined,
        TELEGRAM_STAFF_GROUP_LANGUAGE: 'ru',
        PUBLIC_URL: undefined,
      },
      ...{
        database: opened(),
        chatService,
        source,
        logger,
        metrics: createMetrics('telegram-bot'),
        fanout: createMemoryFanout(),
      },
      frames: {
        connected: true,
        start: (take) => {
          listener = take;
        },
        stop: async () => undefined,
      },
    });
    stopping.push(() => bot.stop());
    bot.start();
    return { bot, asked, deliver: (frame) => listener(frame) };
  }

  describe('[TG9] [TG24] while Telegram does not answer', () => {
    it('nobody counts as reached by it, and from the first answer on they do again', async () => {
      let now = 0;
      const availability = new Availability(() => now);
      const options = { token: api.token, root: api.url, openFile: async () => null, commands: () => [] };
      const telegram = watched(createTelegramApi(options), availability);
      const people = new People(opened(), BOT);
      const parts = { database: opened(), fanout: createMemoryFanout(), people, availability, logger };
      const presence = new DutyPresence({ id: `telegram-${BOT}`, ...parts });
      stopping.push(() => presence.stop());
      await telegram.me();
      presence.start();
      await expect.poll(counts).toEqual(REACHED);

      api.faults.always(() => ({ kind: 'error', code: 401 }));
      now += 89_000;
      await expect(telegram.me()).rejects.toMatchObject({ code: 'unauthorized' });
      expect(availability.isFresh).toBe(true);
      now += 1_000;
      await longAgo();
      presence.beat();
      await expect.poll(counts).toEqual(AWAY);

      // Another process gets the updates.
      api.faults.always(() => ({ kind: 'error', code: 409 }));
      await expect(telegram.updates(undefined, AbortSignal.timeout(5_000))).rejects.toMatchObject({ code: 'conflict' });
      expect(availability.isFresh).toBe(false);
      api.faults.always(() => undefined);
      await telegram.me();
      presence.beat();
      await expect.poll(counts).toEqual(REACHED);
    });

    it('a bot that starts publishes nobody as present until Telegram has responded', async () => {
      api.faults.always(() => ({ kind: 'error', code: 401 }));
      const { bot } = startBot();
      await expect.poll(() => api.calls).toContain('getMe');
      const isRefused = (): boolean => {
        try {
          bot.assertAccepted();
          return false;
        } catch {
          return true;
        }
      };
      await expect.poll(isRefused).toBe(true);
      expect(await counts()).toEqual(AWAY);
      await bot.stop();

      api.faults.always(() => undefined);
      startBot();
      await expect.poll(counts).toEqual(REACHED);
    });
  });

  it('[TG15] while texts go out chat-service is told what has arrived, and asked for nothing', async () => {
    const { asked, deliver } = startBot();
    await expect.poll(() => api.calls).toContain('getUpdates');
    await expect.poll(() => asked).toContain('feed');
    const before = asked.length;
    const from = performance.now();
    for (let n = 1; n <= 20; n += 1) {
      const data = { id: n, sender_type: 'operator', sender_id: 'anna', sender_name: 'Анна', body: `№ ${n}` };
      const event = staffEventSchema.parse({
        ...{ type: 'chat.message', session_id: session, seq: n, feed_seq: n },
        data: { ...data, attachments: [], created_at: '2026-01-01T10:00:00Z', client_message_id: null },
      });
      await deliver(JSON.stringify(event));
    }
    await expect.poll(() => api.shownTo(CUSTOMER).length).toBe(20);
    const told = async () => (await sql`SELECT 1 AS one FROM telegram_mark`.execute(opened().kysely)).rows.length;
    await expect.poll(told).toBe(0);
    const calls = asked.slice(before);
    expect(new Set(calls)).toEqual(new Set(['acks']));
    expect(calls.length).toBeLessThanOrEqual(1 + (performance.now() - from) / 1_000);
  });
}
