import type { Database } from '@chat-realtime/database';
import { type StaffEvent, staffEventSchema } from '@chat-realtime/protocol';
import { createLogger } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { People } from '../storage/people.ts';
import { SendStore } from '../storage/sends.ts';
import { Relay, type Tell } from '../relay/relay.ts';
import { Teller } from '../relay/tell.ts';

const BOT = 77;
export function relaySuite(opened: () => Database): void {
  let database: Database;
  let sends: SendStore;
  let relay: Relay;
  const logged: string[] = [];
  let leftOut = 0;
  let head = 0;
  const ledger: StaffEvent[] = [];

  beforeAll(async () => {
    database = opened();
    sends = new SendStore(database, BOT);
    await sql`INSERT INTO operator_telegram (user_id, telegram_user_id, role, scope, on_duty)
      VALUES ('anna', 501, 'operator', 'all', true)`.execute(database.kysely);
    await sql`INSERT INTO telegram_relay (feed_seq) VALUES (0)`.execute(database.kysely);
  });
  afterEach(() => relay.stop());

  function newRelay(tell: Tell): Relay {
    return new Relay({
      database,
      ledger: {
        feed: async (after) => {
          const events = ledger.filter(({ feed_seq: number = 0 }) => number > (after ?? 0));
          return { events, cursor: head, hasMore: false, reset: false };
        },
        acks: async () => undefined,
      },
      frames: { connected: true, start: () => undefined, stop: async () => undefined },
      sends,
      tell,
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
    ledger.push(
      staffEventSchema.parse({ type: 'chat.message.client', session_id: session.id, seq: 1, feed_seq: head, data }),
    );
  }

  async function owed(): Promise<string[]> {
    const found = await sql<{ text: string }>`SELECT content->>'text' AS text FROM telegram_send ORDER BY id`.execute(
      database.kysely,
    );
    return found.rows.map(({ text }) => text);
  }

  describe('[TG21] an event that cannot be told', () => {
    it('is not one whose customer has a name that is cut between the halves of a pair', async () => {
      await written(`a${'😀'.repeat(100)}`, 'Первый');
      await written('Иван', 'Второй');
      const teller = new Teller(new People(database, BOT));
      relay = newRelay((event, db) => teller.tell(event, db));
      relay.start();
      await expect.poll(owed).toMatchObject([expect.stringMatching('Первый'), expect.stringMatching('Второй')]);
      expect(leftOut).toBe(0);
    });

    it('is left out after some tries, said once, and what comes after it is told', async () => {
      await sql`DELETE FROM telegram_send`.execute(database.kysely);
      await written('Иван', 'Третий');
      await written('Иван', 'Четвёртый');
      await written('Иван', 'Пятый');
      const teller = new Teller(new People(database, BOT));
      relay = newRelay(async (event, db) => {
        if (event.type === 'chat.message.client' && event.data.body === 'Четвёртый')
          await sql`SELECT ${'\\ud83d'}::text::json, ${'"\\ud83d"'}::jsonb`.execute(db);
        return teller.tell(event, db);
      });
      relay.start();
      await expect.poll(owed).toMatchObject([expect.stringMatching('Третий'), expect.stringMatching('Пятый')]);
      expect(leftOut).toBe(1);
      expect(logged.filter((line) => line.includes('left out'))).toHaveLength(1);
      expect(logged.join('')).not.toContain('Четвёртый');
    });

    it('is waited for where it is the machine that cannot', async () => {
      await sql`DELETE FROM telegram_send`.execute(database.kysely);
      await written('Иван', 'Шестой');
      const teller = new Teller(new People(database, BOT));
      let tries = 0;
      relay = newRelay(async (event, db) => {
        tries += 1;
        if (tries < 8) throw Object.assign(new Error('no space left'), { code: '53100' });
        return teller.tell(event, db);
      });
      relay.start();
      await expect.poll(owed).toMatchObject([expect.stringMatching('Шестой')]);
      expect(leftOut).toBe(1);
    });
  });
}
