import { createSessionResponseSchema } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { createECDH, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { PushKeyStore } from '../push/push-keys.ts';
import { PushSender } from '../push/push-sender.ts';
import { OperatorNotices } from './operator-notices.ts';

/** What is decided, in the database: nothing is sent here, and nobody waits. */
let chat: ChatUnderTest;
let notices: OperatorNotices;
let anna: string;
let boris: string;
beforeAll(async () => {
  chat = await ChatUnderTest.start();
  notices = new OperatorNotices(chat.database, true);
  [anna, boris] = await Promise.all([chat.staff('anna'), chat.staff('boris')]);
});
afterAll(() => chat.stop());
beforeEach(async () => {
  for (const table of ['push_subscription', 'notify_setting', 'notice', 'mail', 'chat_alert'])
    await sql`DELETE FROM ${sql.table(table)}`.execute(chat.database.kysely);
  await sql`UPDATE chat_session SET waiting_since = NULL`.execute(chat.database.kysely);
});

const device = (): { endpoint: string; keys: object } => ({
  endpoint: `https://push.example/send/${randomBytes(16).toString('hex')}`,
  keys: { p256dh: createECDH('prime256v1').generateKeys('base64url'), auth: randomBytes(16).toString('base64url') },
});
const add = (token: string, body: object = device()) => chat.call('POST', '/chat/push/subscriptions', { token, body });
const choose = (token: string, body: object) => chat.call('PUT', '/chat/operators/me/notifications', { token, body });
const act = (id: number, what: string, token: string) =>
  chat.call('POST', `/chat/session/${id}/${what}`, { token, body: {} });
/** A customer who wrote a minute ago. */
const waiting = async (): Promise<number> => {
  const { session } = (
    await chat.call('POST', '/chat/session', {
      body: { message: { body: 'Есть лампа?', client_message_id: randomUUID() } },
    })
  ).as(createSessionResponseSchema);
  await sql`UPDATE chat_session SET waiting_since = clock_timestamp() - interval '60 seconds'
    WHERE id = ${session.id}::bigint`.execute(chat.database.kysely);
  return session.id;
};
const told = async (id: number): Promise<string[]> => {
  const { rows } = await sql<{ who: string }>`
    SELECT p.user_id || ' push' AS who FROM push_notice n JOIN push_subscription p ON p.id = n.subscription_id
     WHERE n.session_id = ${id}::bigint
    UNION ALL SELECT user_id || ' mail' FROM mail WHERE session_id = ${id}::bigint ORDER BY who`.execute(
    chat.database.kysely,
  );
  return rows.map(({ who }) => who);
};

describe('a chat that changes hands', () => {
  it('[NTF4] is told to whom it concerns now, once each, however often it goes to and fro', async () => {
    await Promise.all([add(anna), add(boris)]);
    const id = await waiting();
    await act(id, 'assign', anna);
    await notices.run();
    expect(await told(id)).toEqual(['anna push']);
    await act(id, 'unassign', anna);
    await notices.run();
    expect(await told(id)).toEqual(['anna push', 'boris push']);
    await act(id, 'assign', boris);
    await notices.run();
    await act(id, 'unassign', boris);
    await notices.run();
    expect(await told(id)).toEqual(['anna push', 'boris push']);
  });

  it('[NTF4] [NTF2] is told by no second channel to whom one has told it', async () => {
    const night = { from: '00:00', to: '23:59', timezone: 'UTC' };
    const mailed = { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' };
    await Promise.all([add(anna), add(boris), choose(anna, mailed)]);
    const id = await waiting();
    await sql`INSERT INTO chat_alert (reason, session_id, dedupe_key) VALUES ('waiting', ${id}::bigint, ${randomUUID()})`.execute(
      chat.database.kysely,
    );
    await choose(boris, { push: [] });
    await notices.run();
    expect(await told(id)).toEqual(['anna push']);
    // Her devices are silent now: what she was told by one of them comes by no mail.
    await choose(anna, { ...mailed, quiet: night });
    await act(id, 'assign', anna);
    await notices.run();
    expect(await told(id)).toEqual(['anna push']);
    // Who asked for every way gets every way.
    await choose(anna, { ...mailed, quiet: night, everywhere: true });
    await act(id, 'unassign', anna);
    // Decided once for a chat that is nobody's: here as if it were not.
    await sql`DELETE FROM notice`.execute(chat.database.kysely);
    await notices.run();
    expect(await told(id)).toEqual(['anna mail', 'anna push']);
  });

  it('[NTF4] each device of each operator is told', async () => {
    await Promise.all([add(anna), add(anna), add(boris)]);
    const [one, two] = [await waiting(), await waiting()];
    await notices.run();
    for (const id of [one, two]) expect(await told(id)).toEqual(['anna push', 'anna push', 'boris push']);
  });
});

describe('a device that changes hands', () => {
  it('[PUSH2] rings for nothing that waited for whom it was, and for all that concerns whom it is', async () => {
    const shared = { ...device(), device: 'Телефон Анны' };
    await add(anna, shared);
    const id = await waiting();
    await act(id, 'assign', anna);
    await notices.run();
    expect(await told(id)).toEqual(['anna push']);
    const again = await add(boris, { ...shared, device: undefined });
    expect([again.status, JSON.parse(again.text).subscription.device]).toEqual([200, null]);
    expect(await told(id)).toEqual([]);
    await act(id, 'unassign', anna);
    await notices.run();
    expect(await told(id)).toEqual(['boris push']);
  });
});

describe('a callback', () => {
  it('[NTF2] is told by mail to whom chose that, and to whose device it was not told', async () => {
    const asked = { mail: ['callback_requested'], locale: 'en' };
    await add(boris);
    await choose(anna, { ...asked, email: 'Anna@Shop.example' });
    await choose(boris, { ...asked, email: 'boris@shop.example' });
    const { session, token } = (await chat.call('POST', '/chat/session', { body: {} })).as(createSessionResponseSchema);
    const answer = await chat.call('POST', '/chat/callback', {
      token,
      body: { session_id: session.id, phone: '8 (999) 123-45-67', consent: true },
    });
    expect(answer.status).toBe(201);
    // As the leader's sweep does it.
    await sql`INSERT INTO chat_alert (reason, session_id, callback_id, dedupe_key)
      SELECT 'callback_requested', session_id, id, ${randomUUID()} FROM chat_callback WHERE session_id = ${session.id}::bigint`.execute(
      chat.database.kysely,
    );
    await notices.run();
    expect(await told(session.id)).toEqual(['anna mail', 'boris push']);
    const mail = await chat.database.kysely.selectFrom('mail').selectAll().executeTakeFirstOrThrow();
    expect(mail).toMatchObject({ address: 'anna@shop.example', reason: 'callback_requested', locale: 'en' });
  });
});

describe('quiet hours', () => {
  const always = { from: '00:00', to: '23:59', timezone: 'Etc/GMT+12' };
  const hour = new Date(Date.now() - 12 * 3_600_000).toISOString().slice(11, 13);
  /** Not in the one minute of the day that they leave out. */
  const quiet = hour === '23' ? { ...always, from: '12:00', to: '11:59' } : always;

  it('[NTF2] that begin while a push is tried again keep the device silent; mail has it, if that was chosen', async () => {
    await add(anna);
    const mailed = { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' };
    await choose(anna, mailed);
    const id = await waiting();
    await sql`INSERT INTO chat_alert (reason, session_id, dedupe_key) VALUES ('waiting', ${id}::bigint, ${randomUUID()})`.execute(
      chat.database.kysely,
    );
    await notices.run();
    const sent: string[] = [];
    let answers: 'passing' | 'delivered' = 'passing';
    const sender = () =>
      new PushSender({
        database: chat.database,
        keys: new PushKeyStore(chat.database),
        transport: {
          send: async (_keys, _to, { payload }) => {
            sent.push(payload);
            return answers === 'passing' ? { kind: 'passing', reason: '503', afterSeconds: 0 } : { kind: 'delivered' };
          },
        },
        publicUrl: undefined,
        showsText: false,
        log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
        ended: () => undefined,
        ambiguous: () => undefined,
        lost: (notice) => notices.deviceLost(notice),
      });
    const round = async () => {
      const one = sender();
      await one.startDue();
      await one.stop();
    };
    await round();
    expect(sent).toHaveLength(1);
    await choose(anna, { ...mailed, quiet });
    answers = 'delivered';
    await round();
    expect(sent).toHaveLength(1);
    const [ended] = await chat.database.kysely.selectFrom('push_notice').select('outcome').execute();
    expect(ended?.outcome).toBe('quiet');
    expect(await told(id)).toEqual(['anna mail', 'anna push']);
  });
});
