import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginNewEpoch, type Database, openDatabase, readEpoch } from '../src/index.ts';

export interface DatabasePlace {
  readonly url: string;
  remove(): Promise<void>;
}

/** What every database of the chat must do, whatever its engine. */
export function databaseSuite(kind: Database['kind'], freshPlace: () => Promise<DatabasePlace>): void {
  describe(`database on ${kind}`, () => {
    let place: DatabasePlace;
    let db: Database;
    beforeAll(async () => {
      place = await freshPlace();
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
}

/** Runs SQL on a closed database, without this package. */
export async function rawDatabase(url: string, kind: Database['kind']): Promise<(text: string) => Promise<void>> {
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
