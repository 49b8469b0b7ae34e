import { createDatabase } from '@chat-realtime/testkit';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Migration, type MigrationConnection, migrate } from './migrate.ts';
import type { DatabaseLog } from './types.ts';

const ROWS = 400_000;
const HEAD = '-- lives-with: 0001_t\n';
const of = (name: string, sql: string): Migration => ({ name, sql, checksum: name });
const TABLE = of('0001_t', 'CREATE TABLE t (id int PRIMARY KEY, n int)');
const INDEX = of('0002_i', `${HEAD}-- transaction: none\nCREATE INDEX CONCURRENTLY t_n ON t (n);\n`);
const UNIQUE = of('0002_u', `${HEAD}-- transaction: none\nCREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n);\n`);

let url: string;
let clients: pg.Client[] = [];
beforeEach(async () => {
  url = await createDatabase();
});
afterEach(async () => {
  for (const client of clients) await client.end().catch(() => undefined);
  clients = [];
});

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}
const over = (client: pg.Client): MigrationConnection => ({
  execute: async (text) => void (await client.query(text)),
  query: async <R>(text: string, values: readonly unknown[]) => (await client.query(text, [...values])).rows as R[],
});
async function filled(): Promise<pg.Client> {
  const client = await connect();
  await migrate(over(client), [TABLE]);
  await client.query(`INSERT INTO t SELECT i, i FROM generate_series(1, ${ROWS}) AS i`);
  return client;
}
async function indexState(client: pg.Client): Promise<boolean | undefined> {
  const { rows } = await client.query<{ valid: boolean }>(
    `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('t_n')`,
  );
  return rows[0]?.valid;
}
async function journal(client: pg.Client): Promise<unknown[]> {
  return (await client.query('SELECT name, lives_with FROM schema_migration ORDER BY name')).rows;
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('[OPS41] an index that is built under traffic', () => {
  it('is built while others write without waiting, and its compatibility is recorded', async () => {
    const client = await filled();
    const writer = await connect();
    let building = true;
    const built = migrate(over(client), [TABLE, INDEX]).finally(() => {
      building = false;
    });
    let longest = 0;
    let writes = 0;
    while (building) {
      const since = performance.now();
      await writer.query('INSERT INTO t VALUES ($1, 0)', [ROWS + 1 + writes]);
      longest = Math.max(longest, performance.now() - since);
      writes += 1;
    }
    expect(await built).toEqual(['0002_i']);
    expect(await indexState(client)).toBe(true);
    expect(writes).toBeGreaterThan(5);
    expect(longest).toBeLessThan(1_000);
    expect(await journal(client)).toEqual([
      { name: '0001_t', lives_with: null },
      { name: '0002_i', lives_with: '0001_t' },
    ]);
    await migrate(over(client), [
      TABLE,
      INDEX,
      of('0003_d', `${HEAD}-- transaction: none\nDROP INDEX CONCURRENTLY IF EXISTS t_n`),
    ]);
    expect(await indexState(client)).toBeUndefined();
  });

  it('is dropped and built again if a build was interrupted', async () => {
    const client = await filled();
    const old = await connect();
    // The build waits for this transaction, and is killed there.
    await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t WHERE id = 1');
    const doomed = await connect();
    const { rows } = await doomed.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const broken = migrate(over(doomed), [TABLE, INDEX]).then(
      () => 'built',
      () => 'broken',
    );
    for (const end = performance.now() + 20_000; (await indexState(client)) === undefined && performance.now() < end; )
      await pause(20);
    await client.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    expect(await broken).toBe('broken');
    await old.query('COMMIT');
    expect([await indexState(client), (await journal(client)).length]).toEqual([false, 1]);
    expect(await migrate(over(client), [TABLE, INDEX])).toEqual(['0002_i']);
    expect(await indexState(client)).toBe(true);
  });

  it('fails with the reason if existing rows violate it, and is built once they are fixed', async () => {
    const client = await filled();
    await client.query('UPDATE t SET n = 1 WHERE id = 2');
    await expect(migrate(over(client), [TABLE, UNIQUE])).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('could not create unique index'),
    });
    expect([await indexState(client), (await journal(client)).length]).toEqual([false, 1]);
    await client.query('UPDATE t SET n = 2 WHERE id = 2');
    expect(await migrate(over(client), [TABLE, UNIQUE])).toEqual(['0002_u']);
    expect(await indexState(client)).toBe(true);
  });

  it('is accepted if it was built before, and refused if another table has its name', async () => {
    const client = await filled();
    await client.query('CREATE INDEX t_n ON t (n)');
    const { rows } = await client.query("SELECT 't_n'::regclass::oid AS oid");
    expect(await migrate(over(client), [TABLE, INDEX])).toEqual(['0002_i']);
    expect((await client.query("SELECT 't_n'::regclass::oid AS oid")).rows).toEqual(rows);
    await client.query(
      `DELETE FROM schema_migration WHERE name = '0002_i'; DROP INDEX t_n; CREATE TABLE o (n int); CREATE INDEX t_n ON o (n)`,
    );
    await expect(migrate(over(client), [TABLE, INDEX])).rejects.toThrow('o has one of that name');
  });

  it('waits for a locked table, delays no reader of it, and tries again', async () => {
    const client = await filled();
    const holder = await connect();
    await holder.query('BEGIN; LOCK TABLE t IN SHARE MODE');
    const warnings: string[] = [];
    const log: DatabaseLog = { info: () => undefined, warn: (_, text) => warnings.push(text), error: () => undefined };
    const built = migrate(over(client), [TABLE, INDEX], log);
    const reader = await connect();
    let longest = 0;
    for (const end = performance.now() + 35_000; performance.now() < end; await pause(50)) {
      const since = performance.now();
      await reader.query('SELECT n FROM t WHERE id = 1');
      longest = Math.max(longest, performance.now() - since);
    }
    expect(longest).toBeLessThan(1_000);
    expect(warnings).toHaveLength(1);
    await holder.query('COMMIT');
    expect(await built).toEqual(['0002_i']);
  });
});

it('[OPS42] a journal of an earlier version learns which versions are compatible, even while a dump reads it', async () => {
  const client = await connect();
  await client.query(
    `CREATE TABLE schema_migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
     CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO schema_migration VALUES ('0001_t', '0001_t')`,
  );
  const dump = await connect();
  await dump.query('BEGIN; SELECT * FROM schema_migration');
  const work = migrate(over(client), [TABLE, INDEX]);
  const other = await connect();
  for (const end = performance.now() + 4_000; performance.now() < end; await pause(50))
    await other.query('SELECT name FROM schema_migration');
  await dump.query('COMMIT');
  expect(await work).toEqual(['0002_i']);
  // The previous version knows only the first, and continues.
  expect(await migrate(over(client), [TABLE])).toEqual([]);
});
