import { type PostgresServer, startPostgres } from '@chat-realtime/testkit';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type MigrationConnection, migrate } from './migrate.ts';

let server: PostgresServer;
const clients: pg.Client[] = [];
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  for (const client of clients) await client.end();
  await server.stop();
});

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  clients.push(client);
  return client;
}

it('[OPS12] waits behind a long reader without keeping others from the table, and completes when the reader ends', async () => {
  const [reader, other, migrator] = [await connect(), await connect(), await connect()];
  const connection: MigrationConnection = {
    execute: async (text) => void (await migrator.query(text)),
    query: async <R>(text: string, values: readonly unknown[]) => (await migrator.query(text, [...values])).rows as R[],
  };
  await other.query('CREATE TABLE t (id int)');
  await reader.query('BEGIN; SELECT * FROM t');
  const warnings: string[] = [];
  const log = { info: () => undefined, error: () => undefined, warn: (_: object, text: string) => warnings.push(text) };
  let done = false;
  const work = migrate(
    connection,
    [{ name: '0001_x', sql: 'ALTER TABLE t ADD COLUMN n int', checksum: 'c' }],
    log,
  ).then((names) => {
    done = true;
    return names;
  });
  let longest = 0;
  for (const end = performance.now() + 5_000; performance.now() < end; ) {
    const since = performance.now();
    await other.query('SELECT * FROM t');
    longest = Math.max(longest, performance.now() - since);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(longest).toBeGreaterThan(500);
  expect(longest).toBeLessThan(2_000);
  expect([done, warnings.length]).toEqual([false, 1]);
  await reader.query('COMMIT');
  expect(await work).toEqual(['0001_x']);
});

it('names the error of a migration, not that its connection could not roll back', async () => {
  const connection: MigrationConnection = {
    execute: (text) => {
      if (text === 'broken') return Promise.reject(new Error('terminating connection due to administrator command'));
      return text === 'ROLLBACK' ? Promise.reject(new Error('the connection is closed')) : Promise.resolve();
    },
    // The journal has all its columns, and no row.
    query: <R>(text: string) => Promise.resolve((text.includes('pg_attribute') ? [{}] : []) as R[]),
  };
  const work = migrate(connection, [{ name: '0001_x', sql: 'broken', checksum: 'c' }]);
  await expect(work).rejects.toThrow('migration 0001_x failed: terminating connection due to administrator command');
});
