// Long because the rules of what operators are told meet in one chat here, with the same people, devices and looks of
// the leader.
import { createSessionResponseSchema } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import { createECDH, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { PushKeyStore } from '../push/push-keys.ts';
import { PushSender, type PushSenderParts } from '../push/push-sender.ts';
import { OperatorNotices, RAISED_LATELY, WAITS_LATELY } from './operator-notices.ts';

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
const TABLES = [
  ...['push_subscription', 'notify_setting', 'notice', 'mail', 'chat_alert'],
  ...['operator_presence', 'operator_telegram'],
];
beforeEach(async () => {
  for (const table of TABLES) await sql`DELETE FROM ${sql.table(table)}`.execute(chat.database.kysely);
  await sql`UPDATE chat_session SET waiting_since = NULL`.execute(chat.database.kysely);
  await sql`UPDATE chat_operator SET status = 'online'`.execute(chat.database.kysely);
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

const raise = (id: number) =>
  sql`INSERT INTO chat_alert (reason, session_id, dedupe_key) VALUES ('waiting', ${id}::bigint, ${randomUUID()})`.execute(
    chat.database.kysely,
  );
/** A callback request with its alert, as the leader's sweep raises it. */
const callback = async (): Promise<{ id: number; sessionId: number }> => {
  const { session, token } = (await chat.call('POST', '/chat/session', { body: {} })).as(createSessionResponseSchema);
  const answer = await chat.call('POST', '/chat/callback', {
    token,
    body: { session_id: session.id, phone: '8 (999) 123-45-67', consent: true },
  });
  expect(answer.status).toBe(201);
  const { rows } = await sql<{ id: number }>`INSERT INTO chat_alert (reason, session_id, callback_id, dedupe_key)
    SELECT 'callback_requested', session_id, id, ${randomUUID()} FROM chat_callback WHERE session_id = ${session.id}::bigint
    RETURNING callback_id AS id`.execute(chat.database.kysely);
  return { id: rows[0]?.id ?? 0, sessionId: session.id };
};
const give = (id: number, status: string, userId: string) =>
  sql`UPDATE chat_callback SET status = ${status}, assigned_user_id = ${userId} WHERE id = ${id}::bigint`.execute(
    chat.database.kysely,
  );
/** `gateway`: of a console, or `telegram-…`. */
const arrive = (userId: string, gateway = 'gateway-1') =>
  sql`INSERT INTO operator_presence (gateway_id, user_id) VALUES (${gateway}, ${userId})`.execute(chat.database.kysely);
const leave = (userId: string) =>
  sql`DELETE FROM operator_presence WHERE user_id = ${userId}`.execute(chat.database.kysely);
/** One look of a sender that is a leader's first. */
const send = async (
  answer: PushSenderParts['transport']['send'],
  lost: PushSenderParts['lost'] = (notice, trx) => notices.deviceLost(notice, trx),
): Promise<void> => {
  const one = new PushSender({
    database: chat.database,
    keys: new PushKeyStore(chat.database),
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
  const rows = await chat.database.kysely.selectFrom('push_notice').select('outcome').orderBy('id').execute();
  return { endpoints, outcomes: rows.map(({ outcome }) => outcome) };
};

describe('a chat that changes hands', () => {
  it('[NTF4] goes to the operator it concerns now, once each, however often it is reassigned', async () => {
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

  it('[NTF4] [NTF2] uses no second channel if the first one succeeded', async () => {
    const night = { from: '00:00', to: '23:59', timezone: 'UTC' };
    const mailed = { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' };
    await Promise.all([add(anna), add(boris), choose(anna, mailed)]);
    const id = await waiting();
    await raise(id);
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

  it('[NTF4] goes to each device of each operator', async () => {
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
  it('[NTF2] goes by mail to operators who chose that and whose device was not reached', async () => {
    const asked = { mail: ['callback_requested'], locale: 'en' };
    await add(boris);
    await choose(anna, { ...asked, email: 'Anna@Shop.example' });
    await choose(boris, { ...asked, email: 'boris@shop.example' });
    const { sessionId } = await callback();
    await notices.run();
    expect(await told(sessionId)).toEqual(['anna mail', 'boris push']);
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
    await raise(id);
    await notices.run();
    const payloads: string[] = [];
    let answers: 'passing' | 'delivered' = 'passing';
    const round = () =>
      send(async (_keys, _to, { payload }) => {
        payloads.push(payload);
        return answers === 'passing' ? { kind: 'passing', reason: '503', afterSeconds: 0 } : { kind: 'delivered' };
      });
    await round();
    expect(payloads).toHaveLength(1);
    await choose(anna, { ...mailed, quiet });
    answers = 'delivered';
    await round();
    expect(payloads).toHaveLength(1);
    const [ended] = await chat.database.kysely.selectFrom('push_notice').select('outcome').execute();
    expect(ended?.outcome).toBe('quiet');
    expect(await told(id)).toEqual(['anna mail', 'anna push']);
  });
});

describe('an operator who has it before their eyes', () => {
  it('[NTF6] and leaves while the customer waits is notified then, once; operators who were away were notified before', async () => {
    await Promise.all([add(anna), add(boris), arrive('anna')]);
    const id = await waiting();
    await notices.run();
    await notices.run();
    expect(await told(id)).toEqual(['boris push']);
    await leave('anna');
    // Another process leads meanwhile: what it must know is in the tables.
    const next = new OperatorNotices(chat.database, true);
    await next.run();
    await next.run();
    expect(await told(id)).toEqual(['anna push', 'boris push']);
    await arrive('anna');
    await notices.run();
    await leave('anna');
    await notices.run();
    expect(await told(id)).toEqual(['anna push', 'boris push']);
  });

  it('[NTF6] is not notified, when they leave, of what was answered, called back or taken over by then', async () => {
    await Promise.all([add(anna), arrive('anna')]);
    await choose(anna, { push: ['waiting', 'callback_requested'] });
    const id = await waiting();
    await raise(id);
    const [rung, taken, open] = [await callback(), await callback(), await callback()];
    await notices.run();
    await sql`UPDATE chat_session SET waiting_since = NULL WHERE id = ${id}::bigint`.execute(chat.database.kysely);
    await give(rung.id, 'calling', 'anna');
    await give(taken.id, 'assigned', 'anna');
    await notices.run();
    await leave('anna');
    await notices.run();
    const all = [id, rung.sessionId, taken.sessionId, open.sessionId];
    expect(await Promise.all(all.map(told))).toEqual([[], [], [], ['anna push']]);
  });
});

describe('an operator on duty in Telegram', () => {
  const ACCOUNT = 7_000_000_001;
  const begin = async (): Promise<void> => {
    await add(anna);
    await sql`INSERT INTO operator_telegram (user_id, role, scope, telegram_user_id)
      VALUES ('anna', 'operator', 'all', ${ACCOUNT}::bigint)`.execute(chat.database.kysely);
    await arrive('anna', 'telegram-1');
  };
  let lastText = 0;
  const hasInTelegram = (id: number, secondsAgo = 0) =>
    sql`INSERT INTO telegram_message (bot_id, chat_id, telegram_message_id, session_id, created_at)
      VALUES (1, ${ACCOUNT}::bigint, ${(lastText += 1)}::bigint, ${id}::bigint,
        clock_timestamp() - make_interval(secs => ${secondsAgo}::float8))`.execute(chat.database.kysely);

  it('[NTF5] [NTF6] is notified on their device of a customer who wrote before the duty began', async () => {
    await begin();
    const [before, shown, queued, earlier] = [await waiting(), await waiting(), await waiting(), await waiting()];
    await hasInTelegram(shown);
    await hasInTelegram(earlier, 3_600);
    await sql`INSERT INTO telegram_send (chat_id, operator_id, session_id, content)
      SELECT telegram_user_id, id, ${queued}::bigint, '{}' FROM operator_telegram`.execute(chat.database.kysely);
    await notices.run();
    expect(await Promise.all([before, shown, queued, earlier].map(told))).toEqual([
      ['anna push'],
      [],
      [],
      ['anna push'],
    ]);
    // The duty ends: what Telegram has told them is told, and what it did not send by then it withholds.
    await leave('anna');
    await notices.run();
    expect(await Promise.all([shown, queued].map(told))).toEqual([[], ['anna push']]);
  });

  it('[NTF5] is notified on their device of a callback request from before the duty, and not of what Telegram shows', async () => {
    await begin();
    const [before, told1, queued, fresh] = [await callback(), await callback(), await callback(), await callback()];
    const age = (id: number) =>
      sql`UPDATE chat_alert SET created_at = created_at - interval '11 seconds' WHERE callback_id = ${id}::bigint`.execute(
        chat.database.kysely,
      );
    await Promise.all([before, told1, queued].map(({ id }) => age(id)));
    await sql`INSERT INTO telegram_callback_told (callback_id, operator_id)
      SELECT ${told1.id}::bigint, id FROM operator_telegram`.execute(chat.database.kysely);
    await sql`INSERT INTO telegram_send (chat_id, operator_id, callback_id, content)
      SELECT telegram_user_id, id, ${queued.id}::bigint, '{}' FROM operator_telegram`.execute(chat.database.kysely);
    const all = () => Promise.all([before, told1, queued, fresh].map(({ sessionId }) => told(sessionId)));
    await notices.run();
    // The newest is a moment old: the bot may be about to tell it.
    expect(await all()).toEqual([['anna push'], [], [], []]);
    await age(fresh.id);
    await notices.run();
    expect(await all()).toEqual([['anna push'], [], [], ['anna push']]);
  });

  it('[NTF5] who is away is notified on their device of unassigned chats, and not of their own', async () => {
    await begin();
    await sql`INSERT INTO chat_operator (id, name, role, status) VALUES ('anna', 'anna', 'operator', 'away')
      ON CONFLICT (id) DO UPDATE SET status = 'away'`.execute(chat.database.kysely);
    const [free, own] = [await waiting(), await waiting()];
    await act(own, 'assign', anna);
    await hasInTelegram(own);
    await hasInTelegram(free);
    await notices.run();
    expect(await Promise.all([free, own].map(told))).toEqual([['anna push'], []]);
  });
});

describe('a push that is about to be sent', () => {
  it('[NTF7] for a callback that is being called already, or that belongs to a colleague, is not sent', async () => {
    await add(anna);
    const [rung, given, open] = [await callback(), await callback(), await callback()];
    await notices.run();
    await give(rung.id, 'calling', 'anna');
    await give(given.id, 'assigned', 'boris');
    const { endpoints, outcomes } = await sent();
    expect([endpoints.length, outcomes.toSorted()]).toEqual([1, ['delivered', 'not_needed', 'not_needed']]);
    expect(await told(open.sessionId)).toEqual(['anna push']);
  });

  it('[NTF7] is judged by the scope of the operator’s newest token where no account of ours says it, on all devices', async () => {
    const wide = await chat.staff('dora');
    await Promise.all([add(wide), add(wide)]);
    await choose(wide, { push: ['message'] });
    const narrow = await chat.staff('dora', { scope: 'own' });
    const id = await waiting();
    // Any call of theirs: their site signs them in with less than when they subscribed.
    expect((await chat.call('GET', '/chat/operators/me/notifications', { token: narrow })).status).toBe(200);
    await notices.run();
    expect(await told(id)).toEqual([]);
    const { rows } = await sql`SELECT scope FROM push_subscription WHERE user_id = 'dora'
      UNION ALL SELECT scope FROM notify_setting WHERE user_id = 'dora'`.execute(chat.database.kysely);
    expect(rows).toEqual([{ scope: 'own' }, { scope: 'own' }, { scope: 'own' }]);
  });

  it('[NTF7] of a chat that its operator may not see any more, is not', async () => {
    const carla = await chat.staff('carla', { scope: 'assigned' });
    await add(carla);
    const [free, own] = [await waiting(), await waiting()];
    await act(own, 'assign', carla);
    await notices.run();
    expect(await Promise.all([free, own].map(told))).toEqual([['carla push'], ['carla push']]);
    await sql`UPDATE push_subscription SET scope = 'own'`.execute(chat.database.kysely);
    await sent();
    const { rows } = await sql`SELECT session_id, outcome FROM push_notice ORDER BY session_id`.execute(
      chat.database.kysely,
    );
    expect(rows).toEqual([
      { session_id: free, outcome: 'not_needed' },
      { session_id: own, outcome: 'delivered' },
    ]);
  });

  it('[NTF7] becomes a mail after an hour of failures, if mail was chosen and it still matters', async () => {
    await add(anna);
    await choose(anna, { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' });
    const [open, answered] = [await waiting(), await waiting()];
    await raise(open);
    await raise(answered);
    await notices.run();
    await sql`UPDATE push_notice SET created_at = created_at - interval '61 minutes'`.execute(chat.database.kysely);
    await sql`UPDATE chat_session SET waiting_since = NULL WHERE id = ${answered}::bigint`.execute(
      chat.database.kysely,
    );
    const { endpoints, outcomes } = await sent();
    expect([endpoints, outcomes.toSorted()]).toEqual([[], ['expired', 'not_needed']]);
    expect(await told(open)).toEqual(['anna mail', 'anna push']);
    expect(await told(answered)).toEqual(['anna push']);
  });

  it('[NTF7] and was in vain on two devices at once becomes one mail', async () => {
    await add(anna);
    await add(anna);
    await choose(anna, { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' });
    const id = await waiting();
    await raise(id);
    await notices.run();
    await sql`UPDATE push_notice SET created_at = created_at - interval '61 minutes'`.execute(chat.database.kysely);
    // Each looks for the other when the other has come as far, if it can.
    const both = Promise.withResolvers<void>();
    let come = 0;
    const lost: PushSenderParts['lost'] = async (notice, trx) => {
      come += 1;
      if (come === 2) both.resolve();
      await Promise.race([both.promise, sleep(300)]);
      await notices.deviceLost(notice, trx);
      // Nor does one end before the other has looked, if it can.
      await sleep(50);
    };
    await send(async () => ({ kind: 'delivered' }), lost);
    expect(await told(id)).toEqual(['anna mail', 'anna push', 'anna push']);
  });

  it('[NTF8] and breaks each time stands before no other, and not for ever', async () => {
    for (let index = 0; index < 8; index += 1)
      await add(anna, { ...device(), endpoint: `https://push.example/broken/${randomUUID()}` });
    await add(anna);
    await waiting();
    await notices.run();
    const tried: string[] = [];
    const round = () =>
      send((_keys, { endpoint }) => {
        tried.push(endpoint);
        return endpoint.includes('broken')
          ? Promise.reject(new Error('a bug'))
          : Promise.resolve({ kind: 'delivered' });
      });
    await round();
    await round();
    expect(tried.map((endpoint) => endpoint.includes('broken'))).toEqual([...Array<boolean>(8).fill(true), false]);
    // Not even judged for two hours: a bug in what is read of it.
    await sql`UPDATE push_notice SET created_at = created_at - interval '3 hours', next_attempt_at = clock_timestamp()
      WHERE outcome IS NULL`.execute(chat.database.kysely);
    await sql`INSERT INTO notify_setting (user_id, value, role, scope) VALUES ('anna', '{"quiet": 5}', 'operator', 'all')
      ON CONFLICT (user_id) DO UPDATE SET value = EXCLUDED.value`.execute(chat.database.kysely);
    await sql`UPDATE push_notice SET kind = 'waiting' WHERE outcome IS NULL`.execute(chat.database.kysely);
    await round();
    const rows = await chat.database.kysely.selectFrom('push_notice').select('outcome').execute();
    expect(rows.map(({ outcome }) => outcome).toSorted()).toEqual(['delivered', ...Array<string>(8).fill('given_up')]);
    expect(tried).toHaveLength(9);
  });
});

describe('what is looked at each second', () => {
  it.each([
    ['chats that wait', sql`chat_session s WHERE ${WAITS_LATELY}`, 'waiting_since'],
    ['alerts', sql`chat_alert a WHERE ${RAISED_LATELY}`, 'created_at'],
  ])('[NTF8] is found by an index: %s', async (_what, query, column) => {
    const plan = await chat.database.kysely.transaction().execute(async (trx) => {
      await sql`SET LOCAL enable_seqscan = off`.execute(trx);
      return sql<{ 'QUERY PLAN': string }>`EXPLAIN SELECT 1 FROM ${query}`.execute(trx);
    });
    const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toMatch(new RegExp(String.raw`Index Cond: \(+${column} >`));
  });
});
