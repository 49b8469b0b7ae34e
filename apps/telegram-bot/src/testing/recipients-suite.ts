import type { Database } from '@chat-realtime/database';
import { type StaffEvent, staffEventSchema } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { People } from '../storage/people.ts';
import type { NewSend } from '../storage/sends.ts';
import { Recipients } from '../feed/recipients.ts';

const BOT = 77;
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

export function recipientsSuite(opened: () => Database): void {
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
      const recipients = new Recipients(new People(database, BOT));
      expect(await recipients.sendsFor(answer(3), database.kysely)).toEqual([]);
      expect(await recipients.sendsFor(answer(4), database.kysely)).toMatchObject([
        { to: { kind: 'customer', chatId: 7 }, seq: 4 },
      ]);
    });
  });

  describe('[TG8] who is told of a chat', () => {
    let session: number;
    const told = async (event: object): Promise<NewSend[]> => {
      const whole = staffEventSchema.parse({ session_id: session, seq: 9, feed_seq: 9, ...event });
      return new Recipients(new People(database, BOT)).sendsFor(whole, database.kysely);
    };
    const who = (sends: readonly NewSend[]): number[] => sends.map(({ to }) => to.chatId);
    const asks = { type: 'chat.message.client', data: { ...answer(9).data, sender_type: 'client', sender_id: null } };
    const assigned = (to: string | null, by: string, previous: string | null) => ({
      type: 'chat.session.assigned',
      data: { assigned_user_id: to, assigned_user_name: to, by },
      subscribers: { session_id: session, assigned_user_id: to, previous_user_id: previous },
    });
    const become = async (assignee: string | null, status = 'open'): Promise<void> => {
      await sql`UPDATE chat_session SET assigned_user_id = ${assignee}, status = ${status} WHERE id = ${session}::bigint`.execute(
        database.kysely,
      );
    };

    beforeAll(async () => {
      const made = await sql<{ id: number }>`INSERT INTO chat_session (name) VALUES ('Иван') RETURNING id`.execute(
        database.kysely,
      );
      session = Number(made.rows[0]?.id);
      const operators: readonly (readonly [string, number, string, boolean, string])[] = [
        ['all-online', 1_001, 'all', true, 'online'],
        ['assigned-online', 1_002, 'assigned', true, 'online'],
        ['own-online', 1_003, 'own', true, 'online'],
        ['all-away', 1_004, 'all', true, 'away'],
        ['all-off-duty', 1_005, 'all', false, 'online'],
      ];
      for (const [user, telegram, scope, onDuty, status] of operators) {
        await sql`INSERT INTO operator_telegram (user_id, telegram_user_id, role, scope, on_duty)
          VALUES (${user}, ${telegram}::bigint, 'operator', ${scope}, ${onDuty})`.execute(database.kysely);
        await sql`INSERT INTO chat_operator (id, role, status) VALUES (${user}, 'operator', ${status})`.execute(
          database.kysely,
        );
      }
    });
    afterAll(async () => {
      await sql`DELETE FROM operator_telegram`.execute(database.kysely);
    });

    it('is who is online, on duty and may see it, while it is nobody’s', async () => {
      await become(null);
      expect(who(await told(asks))).toEqual([1_001, 1_002]);
    });

    it('is its operator alone, away or not, while it is somebody’s', async () => {
      await become('all-away');
      expect(who(await told(asks))).toEqual([1_004]);
      await become('own-online');
      expect(who(await told(asks))).toEqual([1_003]);
      await become('all-off-duty');
      expect(who(await told(asks))).toEqual([]);
    });

    it('is all of them again when it goes back to the queue, with what the customer wrote last and the way to take it', async () => {
      await sql`INSERT INTO chat_event (session_id, seq, type, sender_type, body, actor_name)
        VALUES (${session}::bigint, 1, 'chat.message', 'client', 'Где заказ?', 'Иван')`.execute(database.kysely);
      await become(null);
      const sends = await told(assigned(null, 'system', 'all-away'));
      expect(who(sends)).toEqual([1_004, 1_001, 1_002]);
      const [lost, ...offered] = sends.map(({ content }) => content);
      expect(lost).toMatchObject({ text: `Иван · Чат ${session} · вернулся в очередь` });
      expect(lost?.buttons).toBeUndefined();
      for (const content of offered) {
        expect(content).toMatchObject({ text: `Иван · Чат ${session} · вернулся в очередь\nГде заказ?` });
        expect(content.buttons?.flat()).toContainEqual({ text: 'Взять', data: `assign:${session}` });
      }
      // Whoever gave it back is not asked to take it.
      expect(who(await told(assigned(null, 'all-online', 'all-online')))).toEqual([1_002]);
      await become(null, 'closed');
      expect(who(await told(assigned(null, 'system', 'own-online')))).toEqual([1_003]);
    });

    it('[TG31] is, of a callback request, to whom a colleague gave it, away or not, once', async () => {
      await become(null);
      const at = '2026-01-31T21:05:00.000Z';
      const contact = { phone: '+79001234567', name: 'Олег', comment: null, preferred_at: null, due_at: at };
      const change = async (by: string | null, to: string | null, status = 'assigned') => {
        const state = { status, assigned_user_id: to, result: null, created_at: at, updated_at: at };
        const data = { id: 31, session_id: session, ...contact, ...state };
        const made = await sql<{ id: number }>`INSERT INTO chat_event (session_id, type, actor_id, data)
          VALUES (${session}::bigint, 'chat.callback.staff', ${by}, ${JSON.stringify(data)}::text::jsonb)
          RETURNING id`.execute(database.kysely);
        const feedId = Number(made.rows[0]?.id);
        return told({ type: 'chat.callback.staff', seq: null, feed_id: feedId, feed_seq: feedId, data });
      };
      expect(who(await change(null, null, 'new'))).toEqual([1_001, 1_002]);
      const [given, ...others] = await change('all-online', 'all-away');
      expect([given?.to.chatId, others]).toEqual([1_004, []]);
      const text = `Заявка на звонок 31 · передана вам\n+79001234567, Олег`;
      expect(given?.content).toMatchObject({ text, buttons: [[{ text: 'Звоню', data: 'callback:31:calling' }]] });
      expect(given?.needs).toEqual({ duty: true, scope: true, callbackId: 31 });
      // It has changed, and not its hands.
      expect(await change('all-online', 'all-away')).toEqual([]);
      // They took it themselves.
      expect(await change('own-online', 'own-online')).toEqual([]);
      expect(await change('all-online', 'all-off-duty')).toEqual([]);
      // Of a version that does not say who.
      expect(who(await change(null, 'own-online'))).toEqual([1_003]);
    });

    it('shows people by their names, and never by an id that nobody can read', async () => {
      const id = '7b0c2a6e-3d1f-4c5b-8a9d-0e1f2a3b4c5d';
      await become('all-online');
      const texts = async (event: object) =>
        (await told(event)).map(({ content }) => (content.kind === 'text' ? content.text : ''));
      expect(await texts(assigned('all-online', id, null))).toEqual([`Иван · Чат ${session} · передан вам`]);
      await sql`INSERT INTO chat_operator (id, name, role) VALUES (${id}, 'Глеб', 'admin')`.execute(database.kysely);
      expect(await texts(assigned('all-online', id, null))).toEqual([`Иван · Чат ${session} · передан вам. Глеб`]);
      const note = {
        author_id: id,
        author_name: null,
        id: 1,
        session_id: session,
        body: 'x',
        created_at: '2026-01-01T10:00:00Z',
      };
      const event = { type: 'chat.note', seq: null, feed_id: 9, data: note };
      expect(await texts(event)).toEqual([`Иван · Чат ${session} · Заметка, Глеб\nx`]);
      await sql`DELETE FROM chat_operator WHERE id = ${id}`.execute(database.kysely);
      expect(await texts(event)).toEqual([`Иван · Чат ${session} · Заметка\nx`]);
    });

    it('[TG29] tells times as the reader counts them: in the zone of their quiet hours, else in the site’s, else in UTC', async () => {
      await become('all-online');
      const at = '2026-01-31T21:05:00.000Z';
      const data = {
        ...{ id: 5, session_id: session, status: 'new', phone: '+7', name: null, comment: null, preferred_at: at },
        ...{ due_at: at, assigned_user_id: null, result: null, created_at: at, updated_at: at },
      };
      const shown = async (siteZone?: string) => {
        const event = { type: 'chat.callback.staff', session_id: session, seq: null, feed_id: 9, feed_seq: 9, data };
        const recipients = new Recipients(new People(database, BOT, siteZone));
        const [send] = await recipients.sendsFor(staffEventSchema.parse(event), database.kysely);
        return send?.content.kind === 'text' ? /^к (.*)/m.exec(send.content.text)?.[1] : undefined;
      };
      expect(await shown()).toBe('2026-01-31 21:05 (UTC)');
      await sql`INSERT INTO widget_setting (name, value, updated_by)
        VALUES ('schedule', '{"rule":{"timezone":"Europe/Moscow"}}', 'admin')`.execute(database.kysely);
      expect(await shown()).toBe('2026-02-01 00:05 (UTC+3)');
      expect(await shown('Asia/Tokyo')).toBe('2026-02-01 06:05 (UTC+9)');
      await sql`INSERT INTO notify_setting (user_id, value, role, scope)
        VALUES ('all-online', '{"quiet":{"from":"22:00","to":"08:00","timezone":"America/New_York"}}', 'operator', 'all')`.execute(
        database.kysely,
      );
      expect(await shown('Asia/Tokyo')).toBe('2026-01-31 16:05 (UTC-5)');
    });
  });
}
