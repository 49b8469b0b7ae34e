import type { Database } from '@chat-realtime/database';
import { type Ack, ChatError, type StaffEvent, staffEventSchema } from '@chat-realtime/protocol';
import { createLogger, createMetrics, type Metrics } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Content } from '../domain/content.ts';
import { botMetrics } from '../metrics.ts';
import { DeliveryMarks } from '../outgoing/delivery-marks.ts';
import { Sender } from '../outgoing/sender.ts';
import { Recipients } from '../feed/recipients.ts';
import { MarkStore } from '../storage/marks.ts';
import { People } from '../storage/people.ts';
import { type NewSend, SendStore } from '../storage/sends.ts';
import { RetryBudget } from '../telegram/retry-budget.ts';

const BOT = 77;
const AT = '2026-01-01T10:00:00Z';
const logger = createLogger({ service: 'telegram-bot', level: 'silent' });

export function pendingSuite(opened: () => Database): void {
  let database: Database;
  let session: number;
  let registry: Metrics;
  let sent: { chatId: number; text: string }[];
  let sends: SendStore;
  let sender: Sender;
  const run = (statement: ReturnType<typeof sql>) => statement.execute(database.kysely);

  beforeAll(async () => {
    database = opened();
    const made = await sql<{ id: number }>`INSERT INTO chat_session (name) VALUES ('Вера') RETURNING id`.execute(
      database.kysely,
    );
    session = Number(made.rows[0]?.id);
  });
  beforeEach(async () => {
    sent = [];
    registry = createMetrics('telegram-bot');
    await run(sql`DELETE FROM telegram_send`);
    await run(sql`DELETE FROM auth_operator WHERE id LIKE 'queued-%'`);
    await run(sql`DELETE FROM operator_telegram WHERE user_id LIKE 'queued-%'`);
    await run(sql`UPDATE chat_session SET assigned_user_id = NULL, status = 'new' WHERE id = ${session}::bigint`);
    await run(sql`INSERT INTO operator_telegram (user_id, telegram_user_id, role, scope, on_duty)
      VALUES ('queued-1', 3001, 'operator', 'all', true)`);
    await run(sql`INSERT INTO chat_operator (id, role, status) VALUES ('queued-1', 'operator', 'online')
      ON CONFLICT (id) DO UPDATE SET status = 'online'`);
    sends = new SendStore(database, BOT, { rows: 5, hours: 24 });
    const frames = { connected: true, start: () => undefined, stop: async () => undefined };
    sender = new Sender({
      sends,
      api: {
        send: async (chatId: number, content: Content) => {
          sent.push({ chatId, text: content.kind === 'text' ? content.text : (content.caption ?? '') });
          return [sent.length];
        },
      },
      chatService: { blocked: async () => undefined },
      marks: { wake: () => undefined },
      metrics: botMetrics(registry, frames, sends),
      retryBudget: new RetryBudget({ isThere: () => true }),
      logger,
    });
  });
  afterEach(() => sender.stop());

  const queue = async (event: object): Promise<void> => {
    const whole: StaffEvent = staffEventSchema.parse({ session_id: session, seq: 9, feed_seq: 9, ...event });
    const told = await new Recipients(new People(database, BOT)).sendsFor(whole, database.kysely);
    await sends.add(told.filter(({ to }) => to.chatId === 3_001));
  };
  const asks = () =>
    queue({
      type: 'chat.message.client',
      data: {
        ...{ id: 9, sender_type: 'client', sender_id: null, sender_name: null, body: 'Секрет', attachments: [] },
        ...{ created_at: AT, client_message_id: null },
      },
    });
  const callsBack = async (): Promise<void> => {
    const made = await sql<{ id: number }>`INSERT INTO chat_callback (session_id, phone, due_at)
      VALUES (${session}::bigint, '+7 900 000-00-00', ${AT}::timestamptz) RETURNING id`.execute(database.kysely);
    const contact = { phone: '+7 900 000-00-00', name: 'Вера', comment: 'Секрет', preferred_at: null };
    const state = { assigned_user_id: null, result: null, status: 'new', created_at: AT, updated_at: AT, due_at: AT };
    await queue({
      type: 'chat.callback.staff',
      seq: null,
      feed_id: 9,
      data: { id: Number(made.rows[0]?.id), session_id: session, ...contact, ...state },
    });
  };
  /** Sends all that is due. */
  const settle = async (): Promise<void> => {
    sender.start();
    await expect.poll(() => sends.pending()).toBe(0);
  };
  const withheld = async (cause: string): Promise<number> =>
    Number(new RegExp(`withheld_total\\{cause="${cause}"\\} (\\d+)`).exec(await registry.collect())?.[1]);

  describe('[TG26] a text that waited', () => {
    it('is sent where nothing has changed', async () => {
      await asks();
      await callsBack();
      await settle();
      expect(sent.map(({ text }) => /Секрет/.test(text))).toEqual([true, true]);
    });

    it.each([
      ['out_of_scope', 'their scope was narrowed', () => sql`UPDATE operator_telegram SET scope = 'own'`],
      ['off_duty', 'they ended their duty', () => sql`UPDATE operator_telegram SET on_duty = false`],
      ['off_duty', 'they went away', () => sql`UPDATE chat_operator SET status = 'away' WHERE id = 'queued-1'`],
    ] as const)('is not, and is counted as %s, where %s', async (cause, _why, change) => {
      await asks();
      await callsBack();
      await run(change());
      await settle();
      expect(sent).toEqual([]);
      expect(await withheld(cause)).toBe(2);
    });

    it('is not where their account in auth-service sees less, or somebody else took the chat', async () => {
      await asks();
      await run(sql`INSERT INTO auth_operator (id, login, name, password_hash, role, scope)
        VALUES ('queued-1', 'queued-1', 'Вера', '$argon2id$x', 'operator', 'assigned')`);
      await run(
        sql`UPDATE chat_session SET assigned_user_id = 'other', status = 'active' WHERE id = ${session}::bigint`,
      );
      await settle();
      expect([sent, await withheld('out_of_scope')]).toEqual([[], 1]);
    });

    it('is not where they were deactivated, or their account was unbound', async () => {
      await run(sql`INSERT INTO auth_operator (id, login, name, password_hash, role, scope)
        VALUES ('queued-1', 'queued-1', 'Вера', '$argon2id$x', 'operator', 'all')`);
      await asks();
      await run(sql`UPDATE auth_operator SET active = false WHERE id = 'queued-1'`);
      await settle();
      expect(sent).toEqual([]);
    });

    it('[TG31] is sent to whoever is away where it is a callback request that is theirs', async () => {
      await callsBack();
      await run(sql`UPDATE chat_operator SET status = 'away' WHERE id = 'queued-1'`);
      await run(sql`UPDATE chat_callback SET assigned_user_id = 'queued-1', status = 'assigned'`);
      await settle();
      expect(sent.map(({ text }) => /Секрет/.test(text))).toEqual([true]);
    });

    it('[NTF5] is written down as told to them where it is a callback request, once it was sent and not before', async () => {
      await run(sql`DELETE FROM telegram_callback_told`);
      const told = async () =>
        (
          await sql`SELECT t.user_id FROM telegram_callback_told k JOIN operator_telegram t ON t.id = k.operator_id
            JOIN chat_callback c ON c.id = k.callback_id`.execute(database.kysely)
        ).rows;
      await callsBack();
      expect(await told()).toEqual([]);
      await settle();
      expect(await told()).toEqual([{ user_id: 'queued-1' }]);
    });

    it('is sent to whoever has lost the chat, and answers a command off duty', async () => {
      await run(sql`UPDATE operator_telegram SET scope = 'own' WHERE user_id = 'queued-1'`);
      await queue({
        type: 'chat.session.assigned',
        data: { assigned_user_id: 'other', assigned_user_name: 'Борис', by: 'other' },
        subscribers: { session_id: session, assigned_user_id: 'other', previous_user_id: 'queued-1' },
      });
      const { rows } = await sql<{ id: number }>`SELECT id FROM operator_telegram WHERE user_id = 'queued-1'`.execute(
        database.kysely,
      );
      const to = { kind: 'operator', bindingId: Number(rows[0]?.id), chatId: 3_001 } as const;
      await sends.add([{ to, content: { kind: 'text', text: 'Вы не дежурите' } }]);
      await run(sql`UPDATE operator_telegram SET on_duty = true WHERE user_id = 'queued-1'`);
      await settle();
      expect(sent.map(({ text }) => text)).toEqual([expect.stringContaining('теперь у «Борис»'), 'Вы не дежурите']);
    });
  });

  describe('[TG27] what is queued in one chat', () => {
    const text = (n: number): NewSend => ({
      to: { kind: 'anybody', chatId: 3_002 },
      content: { kind: 'text', text: `текст ${n}` },
    });
    const add = async (from: number, to: number): Promise<void> => {
      for (let n = from; n <= to; n += 1) await sends.add([text(n)]);
    };

    it('is bounded in number: the oldest are left out, and one text in their place says how many', async () => {
      await add(1, 12);
      expect(await sends.leaveOut()).toBe(7);
      expect(await sends.pending()).toBe(6);
      // What is left out later is added to it.
      await add(13, 15);
      expect(await sends.leaveOut()).toBe(3);
      expect(await sends.leaveOut()).toBe(0);
      await settle();
      expect(sent.map(({ text: shown }) => shown)).toEqual([
        expect.stringContaining(': 10.'),
        ...[11, 12, 13, 14, 15].map((n) => `текст ${n}`),
      ]);
    });

    it('is bounded in age, chat by chat', async () => {
      await add(1, 3);
      await run(
        sql`UPDATE telegram_send SET created_at = created_at - interval '25 hours' WHERE content->>'text' <> 'текст 3'`,
      );
      await sends.add([{ ...text(4), to: { kind: 'anybody', chatId: 3_003 } }]);
      expect(await sends.leaveOut()).toBe(2);
      await settle();
      const shownTo = (id: number) => sent.filter(({ chatId }) => chatId === id).map(({ text: shown }) => shown);
      expect(shownTo(3_002)).toEqual([expect.stringContaining(': 2.'), 'текст 3']);
      expect(shownTo(3_003)).toEqual(['текст 4']);
    });

    it('leaves alone what is being sent', async () => {
      await add(1, 6);
      const [head] = await sends.due([]);
      await sends.begin(head?.id ?? 0);
      await run(sql`UPDATE telegram_send SET created_at = created_at - interval '25 hours'`);
      expect(await sends.leaveOut()).toBe(5);
      await settle();
      expect(sent.map(({ text: shown }) => shown)).toEqual(['текст 1', expect.stringContaining(': 5.')]);
    });
  });

  describe('[TG28] that a text has reached somebody', () => {
    it('is told after a kill as well, until chat-service has taken it, and then no more', async () => {
      await run(sql`DELETE FROM telegram_mark`);
      await asks();
      await settle();
      // The process that sent it was killed: nothing of it is in memory.
      const calls: (readonly Ack[])[] = [];
      const marksWith = (taken: boolean): DeliveryMarks =>
        new DeliveryMarks({
          source: {
            acks: async (acks) => {
              calls.push(acks);
              if (!taken) throw new ChatError('unavailable', 'not now');
            },
          },
          store: new MarkStore(database),
          logger,
          flushMs: 1,
        });
      for (const taken of [false, true]) {
        const marks = marksWith(taken);
        marks.start();
        await expect.poll(() => calls.length).toBe(taken ? 2 : 1);
        if (taken) await marks.stop();
      }
      expect(calls.map((acks) => acks.map(({ participant, last_id: id }) => [participant, id]))).toEqual([
        [['staff:queued-1', 9]],
        [['staff:queued-1', 9]],
      ]);
      await marksWith(true).stop();
      expect(calls).toHaveLength(2);
    });
  });
}
