import type { Database } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { createLogger } from '@chat-realtime/service-kit';
import type { Update } from 'grammy/types';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpdateHandler } from '../updates/handler.ts';
import type { Customers } from '../people/customers.ts';
import type { ChatService } from '../ports.ts';
import { People } from '../storage/people.ts';
import { SendStore } from '../storage/sends.ts';
import { UpdateStore } from '../storage/updates.ts';

const BOT = 77;
const VISITOR = 9_001;

export function handlerSuite(opened: () => Database): void {
  let handler: UpdateHandler;
  let leftOut: number;
  const elsewhere = (): never => {
    throw new Error('nothing of this is asked for');
  };

  beforeEach(() => {
    leftOut = 0;
  });
  afterEach(() => handler.stop());

  function newHandler(write: Customers['write'], blocked: ChatService['blocked'] = elsewhere): UpdateStore {
    const database = opened();
    const updates = new UpdateStore(database, BOT);
    handler = new UpdateHandler({
      database,
      botId: BOT,
      updates,
      sends: new SendStore(database, BOT),
      people: new People(database, BOT),
      operators: { command: elsewhere, write: elsewhere, edited: elsewhere, button: elsewhere },
      customers: { write, edited: elsewhere, redeem: elsewhere },
      chatService: {
        introduce: elsewhere,
        redeem: elsewhere,
        act: elsewhere,
        write: elsewhere,
        upload: elsewhere,
        blocked,
        openFile: elsewhere,
      },
      api: { answerButton: async () => undefined },
      group: null,
      logger: createLogger({ service: 'telegram-bot', level: 'silent' }),
      leftOut: () => (leftOut += 1),
      added: () => undefined,
      retrySeconds: 0.01,
    });
    return updates;
  }

  function written(updateId: number, text: string): Update {
    const from = { id: VISITOR, is_bot: false, first_name: 'Гость', language_code: 'ru' };
    const chat = { id: VISITOR, type: 'private', first_name: 'Гость' } as const;
    return { update_id: updateId, message: { message_id: updateId, date: 1, chat, from, text } };
  }

  async function queued(): Promise<string[]> {
    const found = await sql<{ text: string }>`SELECT content->>'text' AS text FROM telegram_send
      WHERE chat_id = ${VISITOR}::bigint ORDER BY id`.execute(opened().kysely);
    return found.rows.map(({ text }) => text);
  }

  describe('[TG21] an update', () => {
    it('that can never be handled is left out after some tries, its author is told, and the next one is handled', async () => {
      const handled: string[] = [];
      const updates = newHandler(async (_user, { text }) => {
        if (text === 'сломанное') throw new TypeError('x is undefined');
        handled.push(text);
        return { sends: [] };
      });
      await updates.take([written(1, 'сломанное'), written(2, 'целое')]);
      handler.start();
      await expect.poll(() => handled).toEqual(['целое']);
      expect(leftOut).toBe(1);
      expect(await queued()).toEqual(['Сообщение не отправлено.']);
    });

    it('with what a database refuses is taken, and stops no other', async () => {
      const handled: string[] = [];
      const updates = newHandler(async (_user, { text }) => {
        handled.push(text);
        return {
          sends: [{ to: { kind: 'anybody', chatId: VISITOR }, content: { kind: 'text', text: `\ud83d ${text}` } }],
        };
      });
      await sql`DELETE FROM telegram_send`.execute(opened().kysely);
      await updates.take([written(3, 'a\u0000b\ud83d'), written(4, 'c')]);
      handler.start();
      await expect.poll(queued).toEqual(['\ufffd a\ufffdb\ufffd', '\ufffd c']);
      expect(leftOut).toBe(0);
    });
  });

  describe('[TG21] a fault of chat-service', () => {
    const tries = async (id: number): Promise<number | undefined> => {
      const { rows } = await sql<{ attempts: number }>`SELECT attempts FROM telegram_update
        WHERE bot_id = ${BOT} AND update_id = ${id}`.execute(opened().kysely);
      return rows[0]?.attempts;
    };
    beforeEach(async () => {
      await sql`DELETE FROM telegram_send`.execute(opened().kysely);
    });

    it('that lasts keeps nobody’s queue for ever: after eight minutes the update is left out, and its author is told', async () => {
      const handled: string[] = [];
      const updates = newHandler(async (_user, { text }) => {
        if (text === 'не записать') throw new ChatError('internal_error', 'status 500');
        handled.push(text);
        return { sends: [] };
      });
      await updates.take([written(11, 'не записать'), written(12, 'дальше')]);
      handler.start();
      await expect.poll(() => tries(11)).toBe(1);
      expect([handled, leftOut]).toEqual([[], 0]);
      // The tries before the last one, in which it waits longer each time.
      await sql`UPDATE telegram_update SET attempts = 12, due_at = clock_timestamp() WHERE update_id = 11`.execute(
        opened().kysely,
      );
      handler.wake();
      await expect.poll(() => handled).toEqual(['дальше']);
      expect([leftOut, await queued()]).toEqual([1, ['Сообщение не отправлено.']]);
    });

    it('is not that it is away: however long that lasts, no try is counted', async () => {
      const handled: string[] = [];
      let away = 2;
      const updates = newHandler(async (_user, { text }) => {
        away -= 1;
        if (away >= 0) throw new ChatError('unavailable', 'not now', { retryAfterSeconds: 0.01 });
        handled.push(text);
        return { sends: [] };
      });
      await updates.take([written(13, 'подождёт')]);
      handler.start();
      await expect.poll(() => handled).toEqual(['подождёт']);
      expect(await tries(13)).toBe(0);
    });
  });

  describe('[TG14] an account that was blocked', () => {
    it('takes texts again as soon as its owner writes, which Telegram tells to no other bot', async () => {
      const { kysely } = opened();
      const made = await sql<{ id: number }>`INSERT INTO chat_session (name) VALUES ('Гость') RETURNING id`.execute(
        kysely,
      );
      const session = Number(made.rows[0]?.id);
      await sql`INSERT INTO customer_telegram (session_id, telegram_user_id, blocked_at)
        VALUES (${session}::bigint, ${VISITOR}::bigint, clock_timestamp())`.execute(kysely);
      const steps: unknown[] = [];
      const updates = newHandler(
        async (_user, { text }) => {
          steps.push(text);
          return { sends: [] };
        },
        async (request) => {
          steps.push(request);
          await sql`UPDATE customer_telegram SET blocked_at = NULL WHERE session_id = ${session}::bigint`.execute(
            kysely,
          );
        },
      );
      await updates.take([written(61, 'я снова здесь'), written(62, 'и дальше')]);
      handler.start();
      const unblocked = { telegram_user_id: VISITOR, blocked: false };
      await expect.poll(() => steps).toEqual([unblocked, 'я снова здесь', 'и дальше']);
      await sql`DELETE FROM customer_telegram WHERE session_id = ${session}::bigint`.execute(kysely);
    });
  });

  describe('[TG13] an update that Telegram gives again', () => {
    const texts: string[] = [];
    const newBot = (work: (text: string) => Promise<void>) => {
      const updates = newHandler(async (_user, { text, key }) => {
        texts.push(`${text} ${key}`);
        await work(text);
        return {
          sends: [{ to: { kind: 'anybody', chatId: VISITOR }, content: { kind: 'text', text: `да: ${text}` } }],
        };
      });
      handler.start();
      return updates;
    };
    const give = async (updates: UpdateStore, ...list: Update[]): Promise<void> => {
      await updates.take(list);
      handler.wake();
    };
    beforeEach(async () => {
      texts.length = 0;
      await sql`DELETE FROM telegram_send`.execute(opened().kysely);
      await sql`DELETE FROM telegram_update`.execute(opened().kysely);
    });

    it('while it runs and after a restart is handled once', async () => {
      let updates = newBot(async () => undefined);
      await give(updates, written(21, 'раз'));
      await expect.poll(() => texts).toEqual(['раз 21']);
      await give(updates, written(21, 'раз'));
      await handler.stop();
      expect(await updates.next()).toBe(22);

      updates = newBot(async () => undefined);
      await give(updates, written(21, 'раз'), written(22, 'два'));
      await expect.poll(queued).toEqual(['да: раз', 'да: два']);
      expect(texts).toEqual(['раз 21', 'два 22']);
    });

    it('after a crash between its receipt and its handling is handled once, though nobody gives it again', async () => {
      const updates = newHandler(elsewhere);
      await updates.take([written(31, 'раз')]);
      // Nothing of that process is left.
      const next = newBot(async () => undefined);
      await expect.poll(queued).toEqual(['да: раз']);
      await give(next, written(31, 'раз'), written(32, 'два'));
      await expect.poll(queued).toEqual(['да: раз', 'да: два']);
      expect(texts).toEqual(['раз 31', 'два 32']);
    });

    it('after a crash between what it did and its answer is answered once, under the same id', async () => {
      let crashed = false;
      newBot(async () => {
        crashed = true;
        await new Promise(() => undefined);
      });
      await new UpdateStore(opened(), BOT).take([written(41, 'раз')]);
      handler.wake();
      await expect.poll(() => crashed).toBe(true);
      const updates = newBot(async () => undefined);
      await give(updates, written(41, 'раз'), written(42, 'два'));
      await expect.poll(queued).toEqual(['да: раз', 'да: два']);
      expect(texts).toEqual(['раз 41', 'раз 41', 'два 42']);
    });
  });
}
