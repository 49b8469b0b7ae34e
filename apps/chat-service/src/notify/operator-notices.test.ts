import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { useNotices } from '../../test/notices-under-test.ts';
import { OperatorNotices, RAISED_LATELY, WAITS_LATELY } from './operator-notices.ts';

const { stage, add, device, choose, act, waiting, told, raise, callback, give, arrive, leave, send } = useNotices();

describe('a notice of a chat that is reassigned', () => {
  it('[NTF4] goes to the current assignee, once each, however often it is reassigned', async () => {
    await Promise.all([add(stage.anna), add(stage.boris)]);
    const id = await waiting();
    await act(id, 'assign', stage.anna);
    await stage.notices.run();
    expect(await told(id)).toEqual(['anna push']);
    await act(id, 'unassign', stage.anna);
    await stage.notices.run();
    expect(await told(id)).toEqual(['anna push', 'boris push']);
    await act(id, 'assign', stage.boris);
    await stage.notices.run();
    await act(id, 'unassign', stage.boris);
    await stage.notices.run();
    expect(await told(id)).toEqual(['anna push', 'boris push']);
  });

  it('[NTF4] [NTF2] uses no second channel if the first one succeeded', async () => {
    const night = { from: '00:00', to: '23:59', timezone: 'UTC' };
    const mailed = { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' };
    await Promise.all([add(stage.anna), add(stage.boris), choose(stage.anna, mailed)]);
    const id = await waiting();
    await raise(id);
    await choose(stage.boris, { push: [] });
    await stage.notices.run();
    expect(await told(id)).toEqual(['anna push']);
    // Her devices are silent now: what one of them already showed is not mailed.
    await choose(stage.anna, { ...mailed, quiet: night });
    await act(id, 'assign', stage.anna);
    await stage.notices.run();
    expect(await told(id)).toEqual(['anna push']);
    // An operator who chose all channels gets all of them.
    await choose(stage.anna, { ...mailed, quiet: night, everywhere: true });
    await act(id, 'unassign', stage.anna);
    // For an unassigned chat this is decided only once: here as if it had not been.
    await sql`DELETE FROM notice`.execute(stage.chat.database.kysely);
    await stage.notices.run();
    expect(await told(id)).toEqual(['anna mail', 'anna push']);
  });

  it('[NTF4] goes to each device of each operator', async () => {
    await Promise.all([add(stage.anna), add(stage.anna), add(stage.boris)]);
    const [one, two] = [await waiting(), await waiting()];
    await stage.notices.run();
    for (const id of [one, two]) expect(await told(id)).toEqual(['anna push', 'anna push', 'boris push']);
  });
});

describe('a device that another operator takes over', () => {
  it('[PUSH2] gets no notice that waited for its previous operator, and all notices for the new one', async () => {
    const shared = { ...device(), device: 'Телефон Анны' };
    await add(stage.anna, shared);
    const id = await waiting();
    await act(id, 'assign', stage.anna);
    await stage.notices.run();
    expect(await told(id)).toEqual(['anna push']);
    const again = await add(stage.boris, { ...shared, device: undefined });
    expect([again.status, JSON.parse(again.text).subscription.device]).toEqual([200, null]);
    expect(await told(id)).toEqual([]);
    await act(id, 'unassign', stage.anna);
    await stage.notices.run();
    expect(await told(id)).toEqual(['boris push']);
  });
});

describe('a notice of a callback', () => {
  it('[NTF2] goes by mail to operators who chose that and whose device was not reached', async () => {
    const asked = { mail: ['callback_requested'], locale: 'en' };
    await add(stage.boris);
    await choose(stage.anna, { ...asked, email: 'Anna@Shop.example' });
    await choose(stage.boris, { ...asked, email: 'boris@shop.example' });
    const { sessionId } = await callback();
    await stage.notices.run();
    expect(await told(sessionId)).toEqual(['anna mail', 'boris push']);
    const mail = await stage.chat.database.kysely.selectFrom('mail').selectAll().executeTakeFirstOrThrow();
    expect(mail).toMatchObject({ address: 'anna@shop.example', reason: 'callback_requested', locale: 'en' });
  });
});

describe('quiet hours', () => {
  const always = { from: '00:00', to: '23:59', timezone: 'Etc/GMT+12' };
  const hour = new Date(Date.now() - 12 * 3_600_000).toISOString().slice(11, 13);
  /** Outside the one minute of the day that the quiet hours leave out. */
  const quiet = hour === '23' ? { ...always, from: '12:00', to: '11:59' } : always;

  it('[NTF2] that begin while a push is retried keep the device silent; a mail is sent if that was chosen', async () => {
    await add(stage.anna);
    const mailed = { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' };
    await choose(stage.anna, mailed);
    const id = await waiting();
    await raise(id);
    await stage.notices.run();
    const payloads: string[] = [];
    let answers: 'passing' | 'delivered' = 'passing';
    const round = () =>
      send(async (_keys, _to, { payload }) => {
        payloads.push(payload);
        return answers === 'passing' ? { kind: 'passing', reason: '503', afterSeconds: 0 } : { kind: 'delivered' };
      });
    await round();
    expect(payloads).toHaveLength(1);
    await choose(stage.anna, { ...mailed, quiet });
    answers = 'delivered';
    await round();
    expect(payloads).toHaveLength(1);
    const [ended] = await stage.chat.database.kysely.selectFrom('push_notice').select('outcome').execute();
    expect(ended?.outcome).toBe('quiet');
    expect(await told(id)).toEqual(['anna mail', 'anna push']);
  });
});

describe('an operator who has the chat open', () => {
  it('[NTF6] is notified once if they leave while the customer waits; operators who were away were notified before', async () => {
    await Promise.all([add(stage.anna), add(stage.boris), arrive('anna')]);
    const id = await waiting();
    await stage.notices.run();
    await stage.notices.run();
    expect(await told(id)).toEqual(['boris push']);
    await leave('anna');
    // Another process leads meanwhile: what it needs is in the tables.
    const next = new OperatorNotices(stage.chat.database, true);
    await next.run();
    await next.run();
    expect(await told(id)).toEqual(['anna push', 'boris push']);
    await arrive('anna');
    await stage.notices.run();
    await leave('anna');
    await stage.notices.run();
    expect(await told(id)).toEqual(['anna push', 'boris push']);
  });

  it('[NTF6] is not notified, when they leave, of what was answered, called back or taken over by then', async () => {
    await Promise.all([add(stage.anna), arrive('anna')]);
    await choose(stage.anna, { push: ['waiting', 'callback_requested'] });
    const id = await waiting();
    await raise(id);
    const [rung, taken, open] = [await callback(), await callback(), await callback()];
    await stage.notices.run();
    await sql`UPDATE chat_session SET waiting_since = NULL WHERE id = ${id}::bigint`.execute(
      stage.chat.database.kysely,
    );
    await give(rung.id, 'calling', 'anna');
    await give(taken.id, 'assigned', 'anna');
    await stage.notices.run();
    await leave('anna');
    await stage.notices.run();
    const all = [id, rung.sessionId, taken.sessionId, open.sessionId];
    expect(await Promise.all(all.map(told))).toEqual([[], [], [], ['anna push']]);
  });
});

describe('an operator on duty in Telegram', () => {
  const ACCOUNT = 7_000_000_001;
  const begin = async (): Promise<void> => {
    await add(stage.anna);
    await sql`INSERT INTO operator_telegram (user_id, role, scope, telegram_user_id)
      VALUES ('anna', 'operator', 'all', ${ACCOUNT}::bigint)`.execute(stage.chat.database.kysely);
    await arrive('anna', 'telegram-1');
  };
  let lastText = 0;
  const hasInTelegram = (id: number, secondsAgo = 0) =>
    sql`INSERT INTO telegram_message (bot_id, chat_id, telegram_message_id, session_id, created_at)
      VALUES (1, ${ACCOUNT}::bigint, ${(lastText += 1)}::bigint, ${id}::bigint,
        clock_timestamp() - make_interval(secs => ${secondsAgo}::float8))`.execute(stage.chat.database.kysely);

  it('[NTF5] [NTF6] is notified on their device of a customer who wrote before the duty began', async () => {
    await begin();
    const [before, shown, queued, earlier] = [await waiting(), await waiting(), await waiting(), await waiting()];
    await hasInTelegram(shown);
    await hasInTelegram(earlier, 3_600);
    await sql`INSERT INTO telegram_send (chat_id, operator_id, session_id, content)
      SELECT telegram_user_id, id, ${queued}::bigint, '{}' FROM operator_telegram`.execute(stage.chat.database.kysely);
    await stage.notices.run();
    expect(await Promise.all([before, shown, queued, earlier].map(told))).toEqual([
      ['anna push'],
      [],
      [],
      ['anna push'],
    ]);
    // The duty ends: what Telegram has sent counts as sent, and it withholds what it has not sent by then.
    await leave('anna');
    await stage.notices.run();
    expect(await Promise.all([shown, queued].map(told))).toEqual([[], ['anna push']]);
  });

  it('[NTF5] is notified on their device of a callback request from before the duty, and not of what Telegram shows', async () => {
    await begin();
    const [before, told1, queued, fresh] = [await callback(), await callback(), await callback(), await callback()];
    const age = (id: number) =>
      sql`UPDATE chat_alert SET created_at = created_at - interval '11 seconds' WHERE callback_id = ${id}::bigint`.execute(
        stage.chat.database.kysely,
      );
    await Promise.all([before, told1, queued].map(({ id }) => age(id)));
    await sql`INSERT INTO telegram_callback_told (callback_id, operator_id)
      SELECT ${told1.id}::bigint, id FROM operator_telegram`.execute(stage.chat.database.kysely);
    await sql`INSERT INTO telegram_send (chat_id, operator_id, callback_id, content)
      SELECT telegram_user_id, id, ${queued.id}::bigint, '{}' FROM operator_telegram`.execute(
      stage.chat.database.kysely,
    );
    const all = () => Promise.all([before, told1, queued, fresh].map(({ sessionId }) => told(sessionId)));
    await stage.notices.run();
    // The newest is a moment old: the bot may be about to send it.
    expect(await all()).toEqual([['anna push'], [], [], []]);
    await age(fresh.id);
    await stage.notices.run();
    expect(await all()).toEqual([['anna push'], [], [], ['anna push']]);
  });

  it('[NTF5] who is away is notified on their device of unassigned chats, and not of their own', async () => {
    await begin();
    await sql`INSERT INTO chat_operator (id, name, role, status) VALUES ('anna', 'anna', 'operator', 'away')
      ON CONFLICT (id) DO UPDATE SET status = 'away'`.execute(stage.chat.database.kysely);
    const [free, own] = [await waiting(), await waiting()];
    await act(own, 'assign', stage.anna);
    await hasInTelegram(own);
    await hasInTelegram(free);
    await stage.notices.run();
    expect(await Promise.all([free, own].map(told))).toEqual([['anna push'], []]);
  });
});

describe('what is looked up each second', () => {
  it.each([
    ['chats that wait', sql`chat_session s WHERE ${WAITS_LATELY}`, 'waiting_since'],
    ['alerts', sql`chat_alert a WHERE ${RAISED_LATELY}`, 'created_at'],
  ])('[NTF8] is found with an index: %s', async (_what, query, column) => {
    const plan = await stage.chat.database.kysely.transaction().execute(async (trx) => {
      await sql`SET LOCAL enable_seqscan = off`.execute(trx);
      return sql<{ 'QUERY PLAN': string }>`EXPLAIN SELECT 1 FROM ${query}`.execute(trx);
    });
    const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toMatch(new RegExp(String.raw`Index Cond: \(+${column} >`));
  });
});
