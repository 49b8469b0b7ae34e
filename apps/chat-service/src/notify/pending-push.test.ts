import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { PushSenderParts } from '../push/push-sender.ts';
import { useNotices } from '../../test/notices-under-test.ts';

const { stage, add, device, choose, act, waiting, told, raise, callback, give, send, sent } = useNotices();

describe('a push that is about to be sent', () => {
  it('[NTF7] is not sent for a callback that somebody is already making, or that belongs to a colleague', async () => {
    await add(stage.anna);
    const [rung, given, open] = [await callback(), await callback(), await callback()];
    await stage.notices.run();
    await give(rung.id, 'calling', 'anna');
    await give(given.id, 'assigned', 'boris');
    const { endpoints, outcomes } = await sent();
    expect([endpoints.length, outcomes.toSorted()]).toEqual([1, ['delivered', 'not_needed', 'not_needed']]);
    expect(await told(open.sessionId)).toEqual(['anna push']);
  });

  it('[NTF7] is judged by the scope in the operator’s newest token if they have no account here, on all devices', async () => {
    const wide = await stage.chat.staff('dora');
    await Promise.all([add(wide), add(wide)]);
    await choose(wide, { push: ['message'] });
    const narrow = await stage.chat.staff('dora', { scope: 'own' });
    const id = await waiting();
    // Any call of theirs counts: their site now signs them in with a narrower scope than when they subscribed.
    expect((await stage.chat.call('GET', '/chat/operators/me/notifications', { token: narrow })).status).toBe(200);
    await stage.notices.run();
    expect(await told(id)).toEqual([]);
    const { rows } = await sql`SELECT scope FROM push_subscription WHERE user_id = 'dora'
      UNION ALL SELECT scope FROM notify_setting WHERE user_id = 'dora'`.execute(stage.chat.database.kysely);
    expect(rows).toEqual([{ scope: 'own' }, { scope: 'own' }, { scope: 'own' }]);
  });

  it('[NTF7] is not sent for a chat that its operator may not see any more', async () => {
    const carla = await stage.chat.staff('carla', { scope: 'assigned' });
    await add(carla);
    const [free, own] = [await waiting(), await waiting()];
    await act(own, 'assign', carla);
    await stage.notices.run();
    expect(await Promise.all([free, own].map(told))).toEqual([['carla push'], ['carla push']]);
    await sql`UPDATE push_subscription SET scope = 'own'`.execute(stage.chat.database.kysely);
    await sent();
    const { rows } = await sql`SELECT session_id, outcome FROM push_notice ORDER BY session_id`.execute(
      stage.chat.database.kysely,
    );
    expect(rows).toEqual([
      { session_id: free, outcome: 'not_needed' },
      { session_id: own, outcome: 'delivered' },
    ]);
  });

  it('[NTF7] becomes a mail after an hour of failures, if mail was chosen and it still matters', async () => {
    await add(stage.anna);
    await choose(stage.anna, { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' });
    const [open, answered] = [await waiting(), await waiting()];
    await raise(open);
    await raise(answered);
    await stage.notices.run();
    await sql`UPDATE push_notice SET created_at = created_at - interval '61 minutes'`.execute(
      stage.chat.database.kysely,
    );
    await sql`UPDATE chat_session SET waiting_since = NULL WHERE id = ${answered}::bigint`.execute(
      stage.chat.database.kysely,
    );
    const { endpoints, outcomes } = await sent();
    expect([endpoints, outcomes.toSorted()]).toEqual([[], ['expired', 'not_needed']]);
    expect(await told(open)).toEqual(['anna mail', 'anna push']);
    expect(await told(answered)).toEqual(['anna push']);
  });

  it('[NTF7] becomes one mail if it failed on two devices at once', async () => {
    await add(stage.anna);
    await add(stage.anna);
    await choose(stage.anna, { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' });
    const id = await waiting();
    await raise(id);
    await stage.notices.run();
    await sql`UPDATE push_notice SET created_at = created_at - interval '61 minutes'`.execute(
      stage.chat.database.kysely,
    );
    // Each checks for the other once both have come equally far, if possible.
    const both = Promise.withResolvers<void>();
    let come = 0;
    const lost: PushSenderParts['lost'] = async (notice, trx) => {
      come += 1;
      if (come === 2) both.resolve();
      await Promise.race([both.promise, sleep(300)]);
      await stage.notices.deviceLost(notice, trx);
      // Nor does one end before the other has checked, if possible.
      await sleep(50);
    };
    await send(async () => ({ kind: 'delivered' }), lost);
    expect(await told(id)).toEqual(['anna mail', 'anna push', 'anna push']);
  });

  it('[NTF8] delays no other if it fails each time, and is given up', async () => {
    for (let index = 0; index < 8; index += 1)
      await add(stage.anna, { ...device(), endpoint: `https://push.example/broken/${randomUUID()}` });
    await add(stage.anna);
    await waiting();
    await stage.notices.run();
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
    // It has not even been judged for two hours, because of a bug in reading its data.
    await sql`UPDATE push_notice SET created_at = created_at - interval '3 hours', next_attempt_at = clock_timestamp()
      WHERE outcome IS NULL`.execute(stage.chat.database.kysely);
    await sql`INSERT INTO notify_setting (user_id, value, role, scope) VALUES ('anna', '{"quiet": 5}', 'operator', 'all')
      ON CONFLICT (user_id) DO UPDATE SET value = EXCLUDED.value`.execute(stage.chat.database.kysely);
    await sql`UPDATE push_notice SET kind = 'waiting' WHERE outcome IS NULL`.execute(stage.chat.database.kysely);
    await round();
    const rows = await stage.chat.database.kysely.selectFrom('push_notice').select('outcome').execute();
    expect(rows.map(({ outcome }) => outcome).toSorted()).toEqual(['delivered', ...Array<string>(8).fill('given_up')]);
    expect(tried).toHaveLength(9);
  });
});
