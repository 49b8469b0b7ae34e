import { type PostgresServer, startPostgres } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseSuite, rawDatabase } from '../test/database-suite.ts';
import { openDatabase, readEpoch } from './index.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await server.stop();
});

databaseSuite('postgres', async () => ({ url: await server.createDatabase(), remove: async () => undefined }));

describe('PostgreSQL alone', () => {
  it('brings the schema up to date once when several processes start together', async () => {
    const url = await server.createDatabase();
    const databases = await Promise.all([openDatabase(url), openDatabase(url), openDatabase(url)]);
    expect(new Set(await Promise.all(databases.map(readEpoch))).size).toBe(1);
    await Promise.all(databases.map((database) => database.close()));
  });

  it('[OPS9] refuses to start when a confirmed commit could be lost', async () => {
    const url = await server.createDatabase();
    const name = new URL(url).pathname.slice(1);
    const raw = await rawDatabase(url, 'postgres');
    await raw(`ALTER DATABASE "${name}" SET synchronous_commit = off`);
    await expect(openDatabase(url)).rejects.toThrow('synchronous_commit is off');
  });

  it('plans once what functions look up in tables; in an SQL function it would be planned at each call', async () => {
    const db = await openDatabase(await server.createDatabase());
    const { rows } = await sql<{ name: string }>`SELECT p.proname AS name FROM pg_proc p
      JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'sql'
      WHERE p.pronamespace = 'public'::regnamespace AND p.prosrc ~* 'FROM chat_' ORDER BY name`.execute(db.kysely);
    // The first is called about once a second, the second only by the previous release.
    expect(rows.map(({ name }) => name)).toEqual(['chat_epoch', 'chat_post_message']);
    await db.close();
  });

  it('lets a session read only by index, and others as they like', async () => {
    const db = await openDatabase(await server.createDatabase());
    const settings = {
      name: 'planner',
      text: "SELECT current_setting('enable_seqscan') AS seqscan, current_setting('jit') AS jit",
    };
    const plain = await db.acquireSession();
    const session = await db.acquireSession({ readsByIndex: true });
    expect(await session.query(settings)).toEqual([{ seqscan: 'off', jit: 'off' }]);
    expect(await plain.query(settings)).toMatchObject([{ seqscan: 'on' }]);
    await session.release();
    await plain.release();
    await db.close();
  });

  it('limits statements, locks and idle transactions, and reports a lost session', async () => {
    const url = await server.createDatabase();
    const db = await openDatabase(url);
    const rows = await db.query<{ name: string; setting: string }>({
      name: 'settings',
      text: `SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`,
    });
    expect(rows.map((row) => row.setting)).toEqual(['5000', '2000', '5000']);
    const session = await db.acquireSession();
    const lost = new Promise<Error>((resolve) => session.onLost(resolve));
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(
      db.kysely,
    );
    expect(await lost).toBeInstanceOf(Error);
    await expect(session.ping()).rejects.toThrow();
    await session.release();
    await db.ping();
    await db.close();
  });
});
