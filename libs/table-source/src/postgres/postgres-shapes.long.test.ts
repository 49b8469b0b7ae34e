import { type PostgresServer, startPostgres, until } from '@chat-realtime/testkit';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printSql } from '../print-sql.ts';
import { followTables } from '../testing/following.ts';
import { MemoryLedger } from '../testing/memory-ledger.ts';
import { migrationSuite } from '../testing/migration-suite.ts';
import { sampleSite } from '../testing/sample-site.ts';
import { shapeSuite } from '../testing/shape-suite.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

shapeSuite('postgresql', () => server.createDatabase());
migrationSuite('postgresql', () => server.createDatabase());

it('[TAB2] the printed SQL runs silently the first time, again, and when it is removed twice', async () => {
  const site = await sampleSite('postgresql', await server.createDatabase());
  const owner = new pg.Client(site.client.url);
  const notices: (string | undefined)[] = [];
  owner.on('notice', ({ message }) => notices.push(message));
  await owner.connect();
  for (const remove of [false, false, true, true]) await owner.query(printSql(site.config, { remove }));
  expect(notices).toEqual([]);
  await owner.end();
  await site.client.close();
});

describe('the limit of the outbox on PostgreSQL', () => {
  it('[TAB11] records nothing while the outbox is over its limit; the scan brings and counts it', async () => {
    const site = await sampleSite(
      'postgresql',
      await server.createDatabase(),
      'reconcile_seconds: 1\noutbox_megabytes: 1',
    );
    const ledger = new MemoryLedger();
    await site.install();
    await site.client.query('ALTER TABLE chat_realtime_outbox SET (autovacuum_enabled = false)');
    const told = followTables(site, ledger);
    const chat = await site.openChat();
    await site.write(chat, 'до');
    await until(() => ledger.bodies(chat).length === 1, { what: 'the first, by the outbox' });

    await site.client.query(
      `INSERT INTO chat_realtime_outbox (kind, row_id, session_id) SELECT 'message', '999999', ? FROM generate_series(1, 15000)`,
      [chat],
    );
    await site.write(chat, 'не записано');
    await until(() => told.missed.message === 1, { timeoutMs: 40_000, what: 'the second, by the scan' });
    expect(ledger.bodies(chat)).toEqual(['до', 'не записано']);

    await site.client.query('VACUUM chat_realtime_outbox');
    await site.write(chat, 'снова');
    await until(() => ledger.bodies(chat).length === 3, { timeoutMs: 20_000, what: 'the third' });
    expect([ledger.bodies(chat).at(-1), told.missed]).toEqual(['снова', { message: 1 }]);
    await told.source.stop();
    await site.client.close();
  });
});
