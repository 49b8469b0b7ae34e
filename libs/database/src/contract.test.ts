import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginNewEpoch, type Database, openDatabase, readEpoch } from './index.ts';

interface Place {
  readonly url: string;
  remove(): Promise<void>;
}

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await server.stop();
});

const places: Record<Database['kind'], () => Promise<Place>> = {
  postgres: async () => ({ url: await server.createDatabase(), remove: async () => undefined }),
  pglite: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chat-db-'));
    return { url: `pglite:${folder}`, remove: () => rm(folder, { recursive: true, force: true }) };
  },
};

describe.each(['postgres', 'pglite'] as const)('database on %s', (kind) => {
  let place: Place;
  let db: Database;
  beforeAll(async () => {
    place = await places[kind]();
    db = await openDatabase(place.url);
  });
  afterAll(async () => {
    await db.close();
    await place.remove();
  });

  it('[OPS] opens with the schema and says what it is', async () => {
    expect(db.kind).toBe(kind);
    expect(await readEpoch(db)).toMatch(/^[0-9a-f]{32}$/);
    expect(db.settings.synchronousCommit).toBe('on');
    await db.ping();
    expect(await db.kysely.selectFrom('chat_session').selectAll().execute()).toEqual([]);
  });

  it('gives 64-bit numbers as numbers, transaction ids as text, times as Date, JSON as values', async () => {
    const text =
      'SELECT $1::bigint AS big, pg_current_xact_id() AS xid, $2::timestamptz AS at, $3::jsonb AS json, count(*) AS n, $4::bigint[] AS list FROM chat_session';
    const at = new Date('2026-01-02T03:04:05.678Z');
    const [row] = await db.query<Record<string, unknown>>({ name: 'types', text }, [
      2 ** 53 - 1,
      at,
      '{"a":[1]}',
      [1, 2],
    ]);
    expect(row).toMatchObject({ big: 2 ** 53 - 1, at, json: { a: [1] }, n: 0, list: [1, 2] });
    expect(row?.['xid']).toMatch(/^\d+$/);
  });

  it('rolls a transaction back as a whole', async () => {
    const failing = db.kysely.transaction().execute(async (trx) => {
      await trx.insertInto('chat_operator').values({ id: 'ghost', role: 'operator' }).execute();
      throw new Error('stop');
    });
    await expect(failing).rejects.toThrow('stop');
    expect(await db.kysely.selectFrom('chat_operator').selectAll().where('id', '=', 'ghost').execute()).toEqual([]);
  });

  it('lets one session at a time hold a lock, and frees it on release', async () => {
    const first = await db.acquireSession();
    const second = await db.acquireSession();
    expect(await first.tryLock(4711)).toBe(true);
    expect(await second.tryLock(4711)).toBe(false);
    await first.release();
    await expect.poll(() => second.tryLock(4711)).toBe(true);
    await second.unlock(4711);
    await second.ping();
    await second.release();
  });

  it('gives revocations ids in the order in which they become visible', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        db.kysely
          .insertInto('revocation')
          .values({ kind: 'staff', subject: `s${n}`, not_after: 1 })
          .execute(),
      ),
    );
    const rows = await sql<{ xmin: string; id: number }>`SELECT xmin::text, id FROM revocation ORDER BY id`.execute(
      db.kysely,
    );
    const xids = rows.rows.map((row) => Number(row.xmin));
    expect(xids).toEqual([...xids].sort((a, b) => a - b));
  });

  it('keeps data and epoch over a restart, and runs no migration twice', async () => {
    await db.kysely.insertInto('chat_operator').values({ id: 'anna', name: 'Anna', role: 'operator' }).execute();
    const epoch = await readEpoch(db);
    await db.close();
    db = await openDatabase(place.url);
    await sql`VACUUM FULL`.execute(db.kysely);
    expect(await readEpoch(db)).toBe(epoch);
    const [anna] = await db.kysely.selectFrom('chat_operator').selectAll().where('id', '=', 'anna').execute();
    expect(anna?.name).toBe('Anna');
  });

  it('[RES10] takes a new epoch when its data are written anew or somebody says so, and else keeps it', async () => {
    const first = await readEpoch(db);
    await sql`UPDATE chat_meta SET value = value WHERE name = 'epoch'`.execute(db.kysely);
    const second = await readEpoch(db);
    const third = await beginNewEpoch(db);
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await readEpoch(db)).toBe(third);
  });

  it('puts the transaction ids of another cluster before all new ones', async () => {
    await sql`INSERT INTO chat_event (type, xid) VALUES ('chat.note', '9000000000'::xid8), ('chat.note', '9000000001'::xid8)`.execute(
      db.kysely,
    );
    await db.close();
    db = await openDatabase(place.url);
    const hidden = await sql`SELECT 1 FROM chat_event WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())`.execute(
      db.kysely,
    );
    expect(hidden.rows).toEqual([]);
  });

  it('refuses a database whose migrations were changed or are newer', async () => {
    await sql`INSERT INTO schema_migration (name, checksum) VALUES ('9999_future', 'x')`.execute(db.kysely);
    await db.close();
    await expect(openDatabase(place.url)).rejects.toThrow('9999_future');
    const raw = await rawDatabase(place.url, kind);
    await raw(
      `DELETE FROM schema_migration WHERE name = '9999_future'; UPDATE schema_migration SET checksum = 'x' WHERE name = '0001_chat'`,
    );
    await expect(openDatabase(place.url)).rejects.toThrow('0001_chat was changed');
    const { createHash } = await import('node:crypto');
    const { readFile } = await import('node:fs/promises');
    const file = await readFile(new URL('../migrations/0001_chat.sql', import.meta.url));
    await raw(
      `UPDATE schema_migration SET checksum = '${createHash('sha256').update(file).digest('hex')}' WHERE name = '0001_chat'`,
    );
    db = await openDatabase(place.url);
  });
});

/** Runs SQL on a closed database, without this package. */
async function rawDatabase(url: string, kind: Database['kind']): Promise<(text: string) => Promise<void>> {
  if (kind === 'postgres') {
    const { default: pg } = await import('pg');
    return async (text) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(text);
      await client.end();
    };
  }
  const { PGlite } = await import('@electric-sql/pglite');
  return async (text) => {
    const pglite = await PGlite.create({ dataDir: join(url.slice('pglite:'.length), 'pgdata') });
    await pglite.exec(text);
    await pglite.close();
  };
}

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

  it('bounds statements, locks and idle transactions, and tells of a lost session', async () => {
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
