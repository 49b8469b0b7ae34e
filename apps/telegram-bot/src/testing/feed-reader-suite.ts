import type { Database } from '@chat-realtime/database';
import { type StaffEvent, staffEventSchema } from '@chat-realtime/protocol';
import { createLogger } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { People } from '../storage/people.ts';
import { SendStore } from '../storage/sends.ts';
import { FeedReader, type SendsFor } from '../feed/feed-reader.ts';
import { Recipients } from '../feed/recipients.ts';

const BOT = 77;
export function feedReaderSuite(opened: () => Database): void {
  let database: Database;
  let sends: SendStore;
  let reader: FeedReader;
  const logged: string[] = [];
  let leftOut = 0;
  let head = 0;
  const source: StaffEvent[] = [];

  beforeAll(async () => {
    database = opened();
    sends = new SendStore(database, BOT);
    await sql`INSERT INTO operator_telegram (user_id, telegram_user_id, role, scope, on_duty)
      VALUES ('anna', 501, 'operator', 'all', true)`.execute(database.kysely);
    await sql`INSERT INTO telegram_relay (feed_seq) VALUES (0)`.execute(database.kysely);
  });
  afterEach(() => reader.stop());

  function newReader(sendsFor: SendsFor): FeedReader {
    return new FeedReader({
      database,
      source: {
        feed: async (after) => {
          const events = source.filter(({ feed_seq: number = 0 }) => number > (after ?? 0));
          return { events, cursor: head, hasMore: false, reset: false };
        },
        acks: async () => undefined,
      },
      frames: { connected: true, start: () => undefined, stop: async () => undefined },
      sends,
      sendsFor,
      logger: createLogger({
        service: 'telegram-bot',
        level: 'info',
        destination: { write: (line: string) => logged.push(line) },
      }),
      added: () => undefined,
      leftOut: () => (leftOut += 1),
      retryMs: 1,
    });
  }

  async function written(name: string, body: string): Promise<void> {
    const session = await database.kysely
      .insertInto('chat_session')
      .values({ name })
      .returning('id')
      .executeTakeFirstOrThrow();
    head += 1;
    const at = '2026-01-01T10:00:00Z';
    const data = { id: head, sender_type: 'client', body, attachments: [], created_at: at, client_message_id: null };
    source.push(
      staffEventSchema.parse({ type: 'chat.message.client', session_id: session.id, seq: 1, feed_seq: head, data }),
    );
  }

  async function queued(): Promise<string[]> {
    const found = await sql<{ text: string }>`SELECT content->>'text' AS text FROM telegram_send ORDER BY id`.execute(
      database.kysely,
    );
    return found.rows.map(({ text }) => text);
  }

  describe('[TG21] an event that cannot be told', () => {
    it('is not one whose customer has a name that is cut between the halves of a pair', async () => {
      await written(`a${'😀'.repeat(100)}`, 'Первый');
      await written('Иван', 'Второй');
      const recipients = new Recipients(new People(database, BOT));
      reader = newReader((event, db) => recipients.sendsFor(event, db));
      reader.start();
      await expect.poll(queued).toMatchObject([expect.stringMatching('Первый'), expect.stringMatching('Второй')]);
      expect(leftOut).toBe(0);
    });

    it('is left out after some tries, said once, and what comes after it is told', async () => {
      await sql`DELETE FROM telegram_send`.execute(database.kysely);
      await written('Иван', 'Третий');
      await written('Иван', 'Четвёртый');
      await written('Иван', 'Пятый');
      const recipients = new Recipients(new People(database, BOT));
      reader = newReader(async (event, db) => {
        if (event.type === 'chat.message.client' && event.data.body === 'Четвёртый')
          await sql`SELECT ${'\\ud83d'}::text::json, ${'"\\ud83d"'}::jsonb`.execute(db);
        return recipients.sendsFor(event, db);
      });
      reader.start();
      await expect.poll(queued).toMatchObject([expect.stringMatching('Третий'), expect.stringMatching('Пятый')]);
      expect(leftOut).toBe(1);
      expect(logged.filter((line) => line.includes('is skipped'))).toHaveLength(1);
      expect(logged.join('')).not.toContain('Четвёртый');
    });

    it('is waited for where it is the machine that cannot', async () => {
      await sql`DELETE FROM telegram_send`.execute(database.kysely);
      await written('Иван', 'Шестой');
      const recipients = new Recipients(new People(database, BOT));
      let tries = 0;
      reader = newReader(async (event, db) => {
        tries += 1;
        if (tries < 8) throw Object.assign(new Error('no space left'), { code: '53100' });
        return recipients.sendsFor(event, db);
      });
      reader.start();
      await expect.poll(queued).toMatchObject([expect.stringMatching('Шестой')]);
      expect(leftOut).toBe(1);
    });
  });
}
