import { randomUUID } from 'node:crypto';
import {
  alertsResponseSchema,
  createSessionResponseSchema,
  customerCallbackResponseSchema,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { AlertSweeps } from './alert-sweeps.ts';

let chat: ChatUnderTest;
let anna: string;

describe('on postgres', () => {
  let sweeps: AlertSweeps;
  beforeAll(async () => {
    chat = await ChatUnderTest.start();
    anna = await chat.staff('anna');
    sweeps = new AlertSweeps(chat.database, { waitingSeconds: 60, replyUnseenSeconds: 120, webhookUrls: [] });
  });
  afterAll(() => chat.stop());

  async function newSession(body: object = {}) {
    return (await chat.call('POST', '/chat/session', { body })).as(createSessionResponseSchema);
  }
  const message = () => ({ body: 'вопрос', client_message_id: randomUUID() });

  describe('GET /chat/alerts', () => {
    const read = async (token: string, since = '') =>
      (await chat.call('GET', `/chat/alerts${since}`, { token })).as(alertsResponseSchema);

    it('[ALR1] [ALR2] [RD8] counts sessions with unread messages and lists what happened since', async () => {
      const before = await read(anna);
      const mine = await newSession({ message: message() });
      await newSession({ message: message() });
      await newSession();
      await sweeps.run();
      await chat.call('POST', `/chat/session/${mine.session.id}/assign`, { token: anna });
      const after = await read(anna);
      expect(after.unassigned_unread - before.unassigned_unread).toBe(1);
      expect(after.mine_unread - before.mine_unread).toBe(1);
      expect(after.unread_count).toBe(after.unassigned_unread + after.mine_unread);
      expect(after.waiting_count).toBe(2);
      expect(after.oldest_waiting_since).not.toBeNull();
      expect(after.alerts.map(({ reason }) => reason)).toEqual([
        'session_created',
        'session_created',
        'session_created',
      ]);
      const last = after.alerts.at(-1);
      expect((await read(anna, `?since=${last?.id}`)).alerts).toEqual([]);
      expect((await read(anna, `?since=${after.alerts[0]?.id}`)).alerts).toHaveLength(2);
      const future = await read(anna, `?since=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`);
      expect(future).toMatchObject({
        has_new_dialogs: false,
        has_my_updates: false,
        alerts: [],
        unread_count: after.unread_count,
      });
      const past = await read(anna, '?since=2020-01-01T00:00:00Z');
      expect(past).toMatchObject({ has_new_dialogs: true, has_my_updates: true });
    });

    it('[ALR2] names the person each alert is about: in an open chat, in a closed one, and without a chat', async () => {
      const { session } = await newSession({ message: message(), name: 'Игорь', phone: '+79990000001' });
      await chat.call('POST', `/chat/session/${session.id}/assign`, { token: anna });
      await chat.call('POST', `/chat/session/${session.id}/close`, { token: anna });
      await newSession({ message: message() });
      const body = { phone: '+79990000002', name: 'Ольга', consent: true };
      await chat.call('POST', '/chat/callback', { body });
      await sweeps.run();
      const { alerts } = await read(anna);
      const contactOf = (reason: string, id: number | null) =>
        alerts.findLast((alert) => alert.reason === reason && alert.session_id === id)?.contact;
      expect(contactOf('session_created', session.id)).toEqual({ name: 'Игорь', email: null, phone: '+79990000001' });
      expect(alerts.findLast(({ reason }) => reason === 'session_created')?.contact.name).toBeNull();
      expect(contactOf('callback_requested', null)).toEqual({ name: 'Ольга', email: null, phone: '+79990000002' });
    });

    it('[ALR1] counts callbacks that are due', async () => {
      const before = (await read(anna)).callbacks_due;
      const { callback } = (
        await chat.call('POST', '/chat/callback', { body: { phone: '+79991234567', consent: true } })
      ).as(customerCallbackResponseSchema);
      expect((await read(anna)).callbacks_due).toBe(before);
      await sql`UPDATE chat_callback SET due_at = clock_timestamp() WHERE id = ${callback.id}`.execute(
        chat.database.kysely,
      );
      expect((await read(anna)).callbacks_due).toBe(before + 1);
    });

    it('[ALR2] [ERR4] rejects `since` if it is neither an alert id nor a time', async () => {
      for (const since of ['yesterday', '-1', '2026-13-01T00:00:00Z']) {
        expect((await chat.call('GET', `/chat/alerts?since=${since}`, { token: anna })).status).toBe(422);
      }
    });
  });
});
