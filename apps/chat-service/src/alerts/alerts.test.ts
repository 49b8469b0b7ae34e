import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  alertsResponseSchema,
  alertWebhookSchema,
  createSessionResponseSchema,
  customerCallbackResponseSchema,
} from '@chat-realtime/protocol';
import { createLogger } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { WebhookReceiver } from '../../test/webhook-receiver.ts';
import { deleteOldAlerts } from './alert-retention.ts';
import { AlertSweeps, FOUND_BY } from './alert-sweeps.ts';
import { WebhookDeliveries } from './webhook-deliveries.ts';

const SECRET = 'webhook-secret-0123456789abcdef';
const logger = createLogger({ service: 'chat-service', level: 'silent' });

let chat: ChatUnderTest;
let anna: string;
let good: WebhookReceiver;
let bad: WebhookReceiver;
let urls: string[];
let sweeps: AlertSweeps;
let deliveries: WebhookDeliveries;

describe('on postgres', () => {
  beforeAll(async () => {
    chat = await ChatUnderTest.start();
    anna = await chat.staff('anna');
  });
  afterAll(() => chat.stop());
  beforeEach(async () => {
    await sql`TRUNCATE webhook_delivery, chat_alert`.execute(chat.database.kysely);
    // Data of earlier tests are no cause any more.
    await sql`UPDATE chat_session SET created_at = created_at - interval '30 days', updated_at = updated_at - interval '30 days',
      waiting_since = NULL`.execute(chat.database.kysely);
    await sql`UPDATE chat_callback SET status = 'cancelled'`.execute(chat.database.kysely);
    [good, bad] = [new WebhookReceiver(), new WebhookReceiver()];
    urls = [await good.listen(), await bad.listen()];
    sweeps = new AlertSweeps(chat.database, { waitingSeconds: 60, replyUnseenSeconds: 120, webhookUrls: urls });
    deliveries = new WebhookDeliveries(
      chat.database,
      { urls, secret: SECRET, timeoutMs: 5_000, retryDelay: () => 0.05 },
      logger,
    );
  });
  afterEach(async () => {
    await deliveries.settle();
    good.close();
    bad.close();
  });

  async function newSession(body: object = {}) {
    return (await chat.call('POST', '/chat/session', { body })).as(createSessionResponseSchema);
  }
  const message = () => ({ body: 'вопрос', client_message_id: randomUUID() });
  async function reasons(): Promise<string[]> {
    const rows = await chat.database.kysely
      .selectFrom('chat_alert')
      .select(['reason', 'session_id'])
      .orderBy('id')
      .execute();
    return rows.map((row) => `${row.reason} ${row.session_id}`);
  }
  async function deliver(rounds = 1): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      await deliveries.startDue();
      await deliveries.settle();
      await sleep(60);
    }
  }
  const age = (table: 'chat_session' | 'chat_event', id: number, seconds: number) =>
    table === 'chat_session'
      ? sql`UPDATE chat_session SET waiting_since = waiting_since - make_interval(secs => ${seconds}) WHERE id = ${id}`.execute(
          chat.database.kysely,
        )
      : sql`UPDATE chat_event SET created_at = created_at - make_interval(secs => ${seconds}) WHERE session_id = ${id}`.execute(
          chat.database.kysely,
        );

  describe('causes of alerts', () => {
    it('[ALR4] [ALR7] a new session, and a wait over its limit, once each', async () => {
      const { session } = await newSession({ message: message() });
      expect(await sweeps.run()).toBe(1);
      expect(await sweeps.run()).toBe(0);
      await age('chat_session', session.id, 61);
      await sweeps.run();
      await sweeps.run();
      expect(await reasons()).toEqual([`session_created ${session.id}`, `waiting ${session.id}`]);
    });

    it('[ALR7] a wait that begins again when an operator reopens the chat, each time', async () => {
      const { session } = await newSession({ message: message() });
      await age('chat_session', session.id, 61);
      await sweeps.run();
      const waits = async () => (await reasons()).filter((reason) => reason === `waiting ${session.id}`);
      expect(await waits()).toHaveLength(1);
      for (const count of [2, 3]) {
        await chat.call('POST', `/chat/session/${session.id}/close`, { token: anna });
        await sweeps.run();
        await chat.call('POST', `/chat/session/${session.id}/reopen`, { token: anna });
        await sweeps.run();
        await sweeps.run();
        expect(await waits()).toHaveLength(count);
      }
    });

    it('[ALR7] a second wait after an answer is a cause of its own', async () => {
      const { session, token } = await newSession({ message: message() });
      await age('chat_session', session.id, 61);
      await sweeps.run();
      await chat.call('POST', `/chat/session/${session.id}/messages`, { token: anna, body: message() });
      await chat.call('POST', `/chat/session/${session.id}/messages`, { token, body: message() });
      await age('chat_session', session.id, 61);
      await sweeps.run();
      expect((await reasons()).filter((reason) => reason.startsWith('waiting'))).toHaveLength(2);
    });

    it('[ALR4] a requested callback, and one that is due', async () => {
      const { callback } = (
        await chat.call('POST', '/chat/callback', { body: { phone: '+79991234567', consent: true } })
      ).as(customerCallbackResponseSchema);
      await sweeps.run();
      await sql`UPDATE chat_callback SET due_at = clock_timestamp() - interval '1 second' WHERE id = ${callback.id}`.execute(
        chat.database.kysely,
      );
      await sweeps.run();
      await sweeps.run();
      expect(await reasons()).toEqual(['callback_requested null', 'callback_due null']);
    });

    it('[ALR4] [ALR1] a callback that nobody answered is due again at its new time', async () => {
      const body = { phone: '+79991234567', consent: true };
      const { callback } = (await chat.call('POST', '/chat/callback', { body })).as(customerCallbackResponseSchema);
      await sweeps.run();
      const steps = [{ status: 'calling' }, { status: 'no_answer', preferred_at: '2020-01-01T10:00:00Z' }];
      for (const step of steps) {
        const answer = await chat.call('PATCH', `/chat/callbacks/${callback.id}`, { token: anna, body: step });
        expect(answer.status).toBe(200);
      }
      await sweeps.run();
      await sweeps.run();
      expect(await reasons()).toEqual(['callback_requested null', 'callback_due null']);
      const numbers = (await chat.call('GET', '/chat/alerts', { token: anna })).as(alertsResponseSchema);
      expect(numbers.callbacks_due).toBe(1);
      await deleteOldAlerts(chat.database, 0);
      expect(await reasons()).toEqual(['callback_due null']);
    });

    it('[ALR4] [ALR7] a reply that the customer has not received, once for all replies since they last saw one', async () => {
      const { session, token } = await newSession({ message: message(), name: 'Ольга', email: 'olga@example.org' });
      const reply = () => chat.call('POST', `/chat/session/${session.id}/messages`, { token: anna, body: message() });
      await reply();
      await reply();
      await sweeps.run();
      expect(await reasons()).toEqual([`session_created ${session.id}`]);
      await age('chat_event', session.id, 121);
      await sweeps.run();
      await sweeps.run();
      expect(await reasons()).toEqual([`session_created ${session.id}`, `reply_unseen ${session.id}`]);
      await deliver();
      const sent = good.requests.map(({ body }) => alertWebhookSchema.parse(JSON.parse(body)));
      expect(sent.find(({ reason }) => reason === 'reply_unseen')?.contact).toEqual({
        name: 'Ольга',
        email: 'olga@example.org',
        phone: null,
      });
      expect(sent.find(({ reason }) => reason === 'session_created')?.contact).toBeUndefined();
      // Read, answered again and not seen again: a new cause.
      await chat.call('POST', `/chat/session/${session.id}/read`, {
        token,
        body: { last_id: Number.MAX_SAFE_INTEGER },
      });
      await reply();
      await age('chat_event', session.id, 121);
      await sweeps.run();
      expect((await reasons()).filter((reason) => reason.startsWith('reply_unseen'))).toHaveLength(2);
    });

    it('[ALR4] a reply that was read causes none', async () => {
      const { session, token } = await newSession({ message: message() });
      await chat.call('POST', `/chat/session/${session.id}/messages`, { token: anna, body: message() });
      await chat.call('POST', `/chat/session/${session.id}/read`, {
        token,
        body: { last_id: Number.MAX_SAFE_INTEGER },
      });
      await age('chat_event', session.id, 121);
      await sweeps.run();
      expect(await reasons()).toEqual([`session_created ${session.id}`]);
    });
  });

  it('[ALR] alerts and their deliveries are deleted after a time, but none whose cause would raise it again', async () => {
    const { session: waiting } = await newSession({ message: message() });
    const { session: answered, token } = await newSession({ message: message() });
    await chat.call('POST', `/chat/session/${answered.id}/messages`, { token: anna, body: message() });
    await age('chat_session', waiting.id, 61);
    await age('chat_event', answered.id, 121);
    const asked = await chat.call('POST', '/chat/callback', { body: { phone: '+79991234567', consent: true } });
    const { callback } = asked.as(customerCallbackResponseSchema);
    await sql`UPDATE chat_callback SET due_at = clock_timestamp() - interval '1 second' WHERE id = ${callback.id}`.execute(
      chat.database.kysely,
    );
    expect(await sweeps.run()).toBe(6);
    expect(await deleteOldAlerts(chat.database, 30)).toBe(0);
    // The wait is older than its alert, as in production.
    await sql`UPDATE chat_alert SET created_at = created_at - interval '31 days'`.execute(chat.database.kysely);
    await age('chat_session', waiting.id, 31 * 86_400);
    await sql`UPDATE chat_alert SET dedupe_key = 'waiting:' || s.id || ':' || floor(extract(epoch FROM s.waiting_since) * 1000)::bigint
      FROM chat_session s WHERE s.id = session_id AND reason = 'waiting'`.execute(chat.database.kysely);
    await sql`UPDATE chat_session SET created_at = created_at - interval '31 days' WHERE id IN (${waiting.id}, ${answered.id})`.execute(
      chat.database.kysely,
    );
    await sql`UPDATE chat_callback SET created_at = created_at - interval '31 days' WHERE id = ${callback.id}`.execute(
      chat.database.kysely,
    );
    expect(await deleteOldAlerts(chat.database, 30)).toBe(3);
    const causes = async () => (await reasons()).map((reason) => reason.split(' ')[0]).toSorted();
    expect(await causes()).toEqual(['callback_due', 'reply_unseen', 'waiting']);
    expect(await sweeps.run()).toBe(0);
    // Settled: read, answered, called.
    const read = { last_id: Number.MAX_SAFE_INTEGER };
    await chat.call('POST', `/chat/session/${answered.id}/read`, { token, body: read });
    await chat.call('POST', `/chat/session/${waiting.id}/messages`, { token: anna, body: message() });
    await sql`UPDATE chat_callback SET status = 'done' WHERE id = ${callback.id}`.execute(chat.database.kysely);
    expect(await deleteOldAlerts(chat.database, 30)).toBe(3);
    const left = await chat.database.kysely.selectFrom('webhook_delivery').select('id').execute();
    expect(left).toEqual([]);
  });

  describe('webhook deliveries', () => {
    it('[ALR4] [ALR5] go to every address, signed over the raw body', async () => {
      const { session } = await newSession({ message: message() });
      await sweeps.run();
      await deliver();
      for (const receiver of [good, bad]) {
        expect(receiver.requests).toHaveLength(1);
        const { body, signature } = receiver.requests[0] ?? { body: '', signature: '' };
        expect(JSON.parse(body)).toMatchObject({
          type: 'chat.alert',
          reason: 'session_created',
          session_id: session.id,
          unread_count: 1,
        });
        const [, time] = /^t=(\d+),v1=/.exec(signature) ?? [];
        expect(Math.abs(Number(time) - Date.now() / 1_000)).toBeLessThan(5);
        expect(signature).toBe(`t=${time},v1=${createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex')}`);
      }
      await deliver();
      expect(good.requests).toHaveLength(1);
    });

    it('[ALR6] are retried with the same id until the receiver accepts them, without delaying others', async () => {
      bad.status = 503;
      await newSession();
      await sweeps.run();
      await deliver(3);
      expect([good.requests.length, bad.requests.length]).toEqual([1, 3]);
      bad.status = 200;
      await deliver(2);
      expect(bad.requests).toHaveLength(4);
      expect(new Set(bad.requests.map(({ id }) => id)).size).toBe(1);
      const rows = await chat.database.kysely
        .selectFrom('webhook_delivery')
        .select(['attempts', 'delivered_at', 'last_error'])
        .orderBy('attempts')
        .execute();
      expect(
        rows.map(({ attempts, delivered_at, last_error }) => [attempts, delivered_at !== null, last_error]),
      ).toEqual([
        [1, true, null],
        [4, true, null],
      ]);
    });

    it('[ALR6] a receiver that never answers delays no other one', async () => {
      bad.hung = true;
      const impatient = new WebhookDeliveries(
        chat.database,
        { urls: urls.toReversed(), secret: SECRET, timeoutMs: 1_500 },
        logger,
      );
      for (let count = 0; count < 6; count += 1) await newSession();
      await sweeps.run();
      const served = () => new Set(good.requests.map(({ id }) => id)).size;
      for (let round = 0; served() < 6 && round < 100; round += 1) {
        await impatient.startDue();
        await sleep(10);
      }
      expect(served()).toBe(6);
      const failures = () =>
        chat.database.kysely
          .selectFrom('webhook_delivery')
          .select('last_error')
          .where('attempts', '>', 0)
          .where('delivered_at', 'is', null)
          .execute();
      expect(await failures()).toEqual([]);
      await impatient.settle();
      expect((await failures()).map(({ last_error }) => last_error)).toContain('TimeoutError');
    });

    it('[ALR6] are given up after a day', async () => {
      bad.status = 500;
      await newSession();
      await sweeps.run();
      await sql`UPDATE webhook_delivery SET created_at = created_at - interval '25 hours'`.execute(
        chat.database.kysely,
      );
      await deliver(3);
      expect(bad.requests).toHaveLength(1);
    });
  });

  describe('the leader', () => {
    it('[ALR4] looks for causes on its own: an alert reaches its receiver without a request', async () => {
      const receiver = new WebhookReceiver();
      const server = await ChatUnderTest.start({
        ALERT_WEBHOOK_URLS: await receiver.listen(),
        ALERT_WEBHOOK_SECRET: SECRET,
      });
      try {
        server.chat.service.start();
        await server.call('POST', '/chat/session', { body: {} });
        await expect.poll(() => receiver.requests.length, { timeout: 10_000 }).toBe(1);
      } finally {
        await server.stop();
        receiver.close();
      }
    });
  });

  it.each([
    ['chat_session s', FOUND_BY.sessionCreated(3_600), 'updated_at >'],
    ['chat_session s', FOUND_BY.waiting(60), 'waiting_since <='],
    ['chat_callback c', FOUND_BY.callbackRequested(3_600), 'created_at >'],
    ['chat_callback c', FOUND_BY.callbackDue(), 'due_at <='],
    ['chat_session s', FOUND_BY.replyUnseen(3_720), 'updated_at >'],
  ])('[ALR4] finds the causes in %s with an index (%#)', async (table, condition, found) => {
    const plan = await chat.database.kysely.transaction().execute(async (trx) => {
      await sql`SET LOCAL enable_seqscan = off`.execute(trx);
      return sql<{ 'QUERY PLAN': string }>`EXPLAIN SELECT 1 FROM ${sql.raw(table)} WHERE ${condition}`.execute(trx);
    });
    const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toMatch(new RegExp(String.raw`Index Cond: \(+${found}`));
  });
});
