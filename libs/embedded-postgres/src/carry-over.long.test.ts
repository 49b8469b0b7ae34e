import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { openDatabase } from '@chat-realtime/database';
import { tempFolder } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { makeOldDatabase } from '../test/old-database.ts';

it('[OPS35] imports the database of version 0.1.0 once, with every row as it was, and keeps the old folder', async () => {
  const folder = tempFolder('carry-over');
  await mkdir(join(folder, 'pgdata'));
  const old = await PGlite.create({ dataDir: join(folder, 'pgdata') });
  await makeOldDatabase(old);
  const before = await old.query<{ id: number; body: string; attributes: unknown }>(
    `SELECT e.id, e.body, s.attributes FROM chat_event e JOIN chat_session s ON s.id = e.session_id ORDER BY e.id`,
  );
  await old.close();

  const server = await startEmbeddedPostgres(folder);
  const database = await openDatabase(server.url, { durable: true });
  const after =
    await sql<object>`SELECT e.id, e.body, s.attributes FROM chat_event e JOIN chat_session s ON s.id = e.session_id
    ORDER BY e.id`.execute(database.kysely);
  expect(after.rows).toEqual(before.rows);
  // The feed keeps its order, and new rows get unused ids.
  const feed = await sql<{ event_id: number }>`SELECT event_id FROM feed ORDER BY feed_seq`.execute(database.kysely);
  expect(feed.rows.map(({ event_id: id }) => id)).toEqual([3, 1, 2]);
  const next = await sql<{ id: number }>`INSERT INTO chat_session (name) VALUES ('new') RETURNING id`.execute(
    database.kysely,
  );
  expect(next.rows).toEqual([{ id: 3 }]);
  await database.close();
  await server.stop();
  expect((await readdir(folder)).sort()).toEqual(['pgdata-of-0.1.0', 'postgres-18', 'postgres-password']);

  const again = await startEmbeddedPostgres(folder);
  const reopened = await openDatabase(again.url);
  expect((await sql`SELECT FROM chat_session`.execute(reopened.kysely)).rows).toHaveLength(3);
  await reopened.close();
  await again.stop();

  // The old version was run once more: its owner must decide which folder counts.
  const third = await PGlite.create({ dataDir: join(folder, 'pgdata') });
  await third.close();
  await expect(startEmbeddedPostgres(folder)).rejects.toThrow('move the one you do not need away');
});
