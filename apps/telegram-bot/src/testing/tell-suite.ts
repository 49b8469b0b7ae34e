import type { Database } from '@chat-realtime/database';
import { type StaffEvent, staffEventSchema } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { People } from '../storage/people.ts';
import { Teller } from '../relay/tell.ts';

const SESSION = 900;

function answer(seq: number): StaffEvent {
  return staffEventSchema.parse({
    type: 'chat.message',
    session_id: SESSION,
    seq,
    feed_seq: seq,
    data: {
      id: seq,
      sender_type: 'operator',
      sender_id: 'anna',
      sender_name: 'Анна',
      body: 'Здравствуйте',
      attachments: [],
      created_at: '2026-01-01T10:00:00Z',
      client_message_id: '7b0c2a6e-3d1f-4c5b-8a9d-0e1f2a3b4c5d',
    },
  });
}

export function tellSuite(opened: () => Database): void {
  let database: Database;
  beforeAll(async () => {
    database = opened();
    await sql`INSERT INTO chat_session (id) OVERRIDING SYSTEM VALUE VALUES (${SESSION})`.execute(database.kysely);
    await sql`INSERT INTO customer_telegram (session_id, telegram_user_id, linked_seq) VALUES (${SESSION}, 7, 3)`.execute(
      database.kysely,
    );
  });

  describe('what a customer in Telegram is told', () => {
    it('[TG6] is what came after the link; what was missed before came with the link itself', async () => {
      const teller = new Teller(new People(database));
      expect(await teller.tell(answer(3), database.kysely)).toEqual([]);
      expect(await teller.tell(answer(4), database.kysely)).toMatchObject([
        { to: { kind: 'customer', chatId: 7 }, seq: 4 },
      ]);
    });
  });
}
