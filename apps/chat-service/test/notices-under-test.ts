import { createECDH, randomBytes, randomUUID } from 'node:crypto';
import { createSessionResponseSchema } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { OperatorNotices } from '../src/notify/operator-notices.ts';
import { PushKeyStore } from '../src/push/push-keys.ts';
import { PushSender, type PushSenderParts } from '../src/push/push-sender.ts';
import { ChatUnderTest } from './chat-under-test.ts';

const TABLES = [
  ...['push_subscription', 'notify_setting', 'notice', 'mail', 'chat_alert'],
  ...['operator_presence', 'operator_telegram'],
];

interface Stage {
  readonly chat: ChatUnderTest;
  readonly notices: OperatorNotices;
  /** Tokens of two operators. */
  readonly anna: string;
  readonly boris: string;
}

/**
 * A chat whose leader decides whom to notify only when a test says so. Nothing is sent but by `send` and `sent`, and before
 * each test nobody waits.
 */
export function useNotices() {
  let started: Stage | undefined;
  const running = (): Stage => {
    if (started === undefined) throw new Error('the chat runs while tests run');
    return started;
  };
  const stage: Stage = {
    get chat() {
      return running().chat;
    },
    get notices() {
      return running().notices;
    },
    get anna() {
      return running().anna;
    },
    get boris() {
      return running().boris;
    },
  };
  beforeAll(async () => {
    const chat = await ChatUnderTest.start();
    const [anna, boris] = await Promise.all([chat.staff('anna'), chat.staff('boris')]);
    started = { chat, notices: new OperatorNotices(chat.database, true), anna, boris };
  });
  afterAll(() => started?.chat.stop());
  beforeEach(async () => {
    for (const table of TABLES) await sql`DELETE FROM ${sql.table(table)}`.execute(stage.chat.database.kysely);
    await sql`UPDATE chat_session SET waiting_since = NULL`.execute(stage.chat.database.kysely);
    await sql`UPDATE chat_operator SET status = 'online'`.execute(stage.chat.database.kysely);
  });

  const device = (): { endpoint: string; keys: object } => ({
    endpoint: `https://push.example/send/${randomBytes(16).toString('hex')}`,
    keys: { p256dh: createECDH('prime256v1').generateKeys('base64url'), auth: randomBytes(16).toString('base64url') },
  });
  const add = (token: string, body: object = device()) =>
    stage.chat.call('POST', '/chat/push/subscriptions', { token, body });
  const choose = (token: string, body: object) =>
    stage.chat.call('PUT', '/chat/operators/me/notifications', { token, body });
  const act = (id: number, what: string, token: string) =>
    stage.chat.call('POST', `/chat/session/${id}/${what}`, { token, body: {} });
  /** A customer who wrote a minute ago. */
  const waiting = async (): Promise<number> => {
    const { session } = (
      await stage.chat.call('POST', '/chat/session', {
        body: { message: { body: 'Есть лампа?', client_message_id: randomUUID() } },
      })
    ).as(createSessionResponseSchema);
    await sql`UPDATE chat_session SET waiting_since = clock_timestamp() - interval '60 seconds'
      WHERE id = ${session.id}::bigint`.execute(stage.chat.database.kysely);
    return session.id;
  };
  const told = async (id: number): Promise<string[]> => {
    const { rows } = await sql<{ who: string }>`
      SELECT p.user_id || ' push' AS who FROM push_notice n JOIN push_subscription p ON p.id = n.subscription_id
       WHERE n.session_id = ${id}::bigint
      UNION ALL SELECT user_id || ' mail' FROM mail WHERE session_id = ${id}::bigint ORDER BY who`.execute(
      stage.chat.database.kysely,
    );
    return rows.map(({ who }) => who);
  };

  const raise = (id: number) =>
    sql`INSERT INTO chat_alert (reason, session_id, dedupe_key) VALUES ('waiting', ${id}::bigint, ${randomUUID()})`.execute(
      stage.chat.database.kysely,
    );
  /** A callback request with its alert, as the leader's sweep raises it. */
  const callback = async (): Promise<{ id: number; sessionId: number }> => {
    const { session, token } = (await stage.chat.call('POST', '/chat/session', { body: {} })).as(
      createSessionResponseSchema,
    );
    const answer = await stage.chat.call('POST', '/chat/callback', {
      token,
      body: { session_id: session.id, phone: '8 (999) 123-45-67', consent: true },
    });
    expect(answer.status).toBe(201);
    const { rows } = await sql<{ id: number }>`INSERT INTO chat_alert (reason, session_id, callback_id, dedupe_key)
      SELECT 'callback_requested', session_id, id, ${randomUUID()} FROM chat_callback WHERE session_id = ${session.id}::bigint
      RETURNING callback_id AS id`.execute(stage.chat.database.kysely);
    return { id: rows[0]?.id ?? 0, sessionId: session.id };
  };
  const give = (id: number, status: string, userId: string) =>
    sql`UPDATE chat_callback SET status = ${status}, assigned_user_id = ${userId} WHERE id = ${id}::bigint`.execute(
      stage.chat.database.kysely,
    );
  /** `gateway`: of a console, or `telegram-…`. */
  const arrive = (userId: string, gateway = 'gateway-1') =>
    sql`INSERT INTO operator_presence (gateway_id, user_id) VALUES (${gateway}, ${userId})`.execute(
      stage.chat.database.kysely,
    );
  const leave = (userId: string) =>
    sql`DELETE FROM operator_presence WHERE user_id = ${userId}`.execute(stage.chat.database.kysely);
  /** One look of a sender that is a leader's first. */
  const send = async (
    answer: PushSenderParts['transport']['send'],
    lost: PushSenderParts['lost'] = (notice, trx) => stage.notices.deviceLost(notice, trx),
  ): Promise<void> => {
    const one = new PushSender({
      database: stage.chat.database,
      keys: new PushKeyStore(stage.chat.database),
      transport: { send: answer },
      publicUrl: undefined,
      showsText: false,
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
      ended: () => undefined,
      ambiguous: () => undefined,
      lost,
    });
    await one.startDue();
    await one.stop();
  };
  /** What devices are sent now, and how it ends. */
  const sent = async (): Promise<{ endpoints: string[]; outcomes: (string | null)[] }> => {
    const endpoints: string[] = [];
    await send(async (_keys, { endpoint }) => {
      endpoints.push(endpoint);
      return { kind: 'delivered' };
    });
    const rows = await stage.chat.database.kysely.selectFrom('push_notice').select('outcome').orderBy('id').execute();
    return { endpoints, outcomes: rows.map(({ outcome }) => outcome) };
  };
  return { stage, device, add, choose, act, waiting, told, raise, callback, give, arrive, leave, send, sent };
}
