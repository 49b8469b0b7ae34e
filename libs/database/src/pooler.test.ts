import { type ManagedServer, type PostgresServer, startPgBouncer, startPostgres } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from './index.ts';
import { findRoute } from './route.ts';

/** Settings that poolers often have, so that clients which start with timeouts can connect. */
const LENIENT = {
  ignore_startup_parameters: 'extra_float_digits,statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
};

let server: PostgresServer;
const poolers: ManagedServer[] = [];
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  for (const pooler of poolers) await pooler.stop();
  await server.stop();
});

async function behind(mode: 'session' | 'transaction', settings: Record<string, string> = {}) {
  const direct = await server.createDatabase();
  const pooler = await startPgBouncer({ databaseUrl: direct, mode, settings });
  poolers.push(pooler);
  return { direct, pooled: pooler.url };
}

describe('behind PgBouncer', () => {
  it.each<Record<string, string>>([{}, LENIENT, { server_round_robin: '1' }])(
    '[OPS11] says within 5 s what to set if it is in transaction mode (%o)',
    async (settings) => {
      const { pooled, direct } = await behind('transaction', settings);
      const since = performance.now();
      await expect(openDatabase(pooled)).rejects.toThrow(/DATABASE_URL leads to .* set DATABASE_DIRECT_URL/);
      expect(performance.now() - since).toBeLessThan(5_000);
      await expect(openDatabase(direct, { directUrl: pooled })).rejects.toThrow(/^DATABASE_DIRECT_URL leads to/);
    },
  );

  it('[OPS11] detects the mode even if several processes ask the same pooler in step', async () => {
    const { pooled } = await behind('transaction', LENIENT);
    for (let round = 0; round < 10; round += 1) {
      const routes = await Promise.all(Array.from({ length: 4 }, () => findRoute(pooled, 10_000)));
      expect(new Set(routes)).toEqual(new Set(['transaction']));
    }
    const { pooled: kept } = await behind('session', LENIENT);
    expect(await Promise.all(Array.from({ length: 4 }, () => findRoute(kept, 10_000)))).toEqual([
      ...['session', 'session', 'session', 'session'],
    ]);
  });

  it('[OPS11] in transaction mode with a direct connection, queries are pooled, and locks and LISTEN are not', async () => {
    const { pooled, direct } = await behind('transaction', LENIENT);
    const databases = await Promise.all([1, 2].map(() => openDatabase(pooled, { directUrl: direct, poolSize: 8 })));
    const [one, two] = databases;
    if (one === undefined || two === undefined) throw new Error('two were opened');
    const sum = { name: 'sum', text: 'SELECT $1::int + $2::int AS sum' };
    const rows = await Promise.all(
      Array.from({ length: 200 }, (_, n) => databases[n % 2]?.query<{ sum: number }>(sum, [n, 1])),
    );
    expect(rows.map((row) => row?.[0]?.sum)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
    await Promise.all(
      databases.map((database) =>
        database.kysely.transaction().execute(async (trx) => {
          await trx.selectFrom('chat_session').selectAll().execute();
        }),
      ),
    );
    const [first, second] = [await one.acquireSession(), await two.acquireSession()];
    expect([await first.tryLock(5), await second.tryLock(5)]).toEqual([true, false]);
    let heard = 0;
    await second.listen('bell', () => {
      heard += 1;
    });
    await first.query({ name: 'ring', text: 'NOTIFY bell' });
    await expect.poll(() => heard).toBe(1);
    await first.unlock(5);
    expect(await second.tryLock(5)).toBe(true);
    await Promise.all([first.release(), second.release()]);
    await Promise.all(databases.map((database) => database.close()));
  });

  it('[OPS11] session mode works as without it, with the same limits on statements', async () => {
    const { pooled } = await behind('session');
    const database = await openDatabase(pooled);
    const [row] = await database.query<{ bound: string }>({
      name: 'bound',
      text: `SELECT current_setting('statement_timeout') AS bound`,
    });
    expect(row?.bound).toBe('5s');
    const session = await database.acquireSession();
    expect(await session.tryLock(6)).toBe(true);
    await session.release();
    await database.close();
  });
});
