import { PGlite } from '@electric-sql/pglite';
import { type PostgresServer, startPostgres } from '@chat-realtime/testkit';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MigrationConnection, migrate, readMigrations } from './migrate.ts';

let server: PostgresServer;
const open: (() => Promise<void>)[] = [];
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  for (const close of open) await close();
  await server.stop();
});

async function emptyDatabase(kind: 'pglite' | 'postgres'): Promise<MigrationConnection> {
  if (kind === 'pglite') {
    const database = await PGlite.create();
    open.push(() => database.close());
    return {
      execute: async (text) => void (await database.exec(text)),
      query: async <R>(text: string, values: readonly unknown[]) => (await database.query<R>(text, [...values])).rows,
    };
  }
  const client = new pg.Client({ connectionString: await server.createDatabase() });
  await client.connect();
  open.push(() => client.end());
  return {
    execute: async (text) => void (await client.query(text)),
    query: async <R>(text: string, values: readonly unknown[]) => (await client.query(text, [...values])).rows as R[],
  };
}

/** The last migration of version 0.1. */
const LAST_OF_0_1 = '0005';

/**
 * Two chats and a note. `xid` is the order in which version 0.1 showed events: the second chat began in a transaction
 * that took its ids early and committed late.
 */
const FILLED = `
  INSERT INTO chat_session (name, last_seq) VALUES ('one', 4), ('two', 3);
  INSERT INTO chat_event (xid, session_id, seq, type, sender_type, body) VALUES
    ('20', 2, 1, 'chat.session.created', NULL, NULL),
    ('20', 2, 2, 'chat.message', 'client', 'late commit'),
    ('10', 1, 1, 'chat.session.created', NULL, NULL),
    ('10', 1, 2, 'chat.message', 'client', 'hello'),
    ('12', 1, NULL, 'chat.note', NULL, 'a note'),
    ('30', 1, 3, 'chat.message', 'client', 'the broker is away'),
    ('31', NULL, NULL, 'chat.callback.staff', NULL, NULL),
    ('32', 2, 3, 'chat.message', 'client', 'still away'),
    ('33', 1, 4, 'chat.message', 'client', 'the last');
  -- The row of the first was deleted long ago; four more were published, four wait.
  INSERT INTO outbox (event_id, published_at) SELECT id, CASE WHEN id <= 5 THEN now() END FROM chat_event WHERE id > 1;`;

async function feedOf(database: MigrationConnection): Promise<[number, number][]> {
  const rows = await database.query<{ feed_seq: string; event_id: string }>(
    'SELECT feed_seq, event_id FROM feed ORDER BY feed_seq',
    [],
  );
  return rows.map((row) => [Number(row.feed_seq), Number(row.event_id)]);
}

async function headOf(database: MigrationConnection): Promise<{ stamped: number; published: number }> {
  const [row] = await database.query<{ stamped: string; published: string }>(
    'SELECT stamped, published FROM feed_head',
    [],
  );
  return { stamped: Number(row?.stamped), published: Number(row?.published) };
}

describe.each(['pglite', 'postgres'] as const)('the feed of a database of version 0.1 on %s', (kind) => {
  let database: MigrationConnection;
  beforeAll(async () => {
    database = await emptyDatabase(kind);
  }, 120_000);

  it('[FEED4] keeps its order, leaves unpublished events to the relay, and has no gap', async () => {
    const migrations = await readMigrations();
    await migrate(
      database,
      migrations.filter(({ name }) => name.slice(0, 4) <= LAST_OF_0_1),
    );
    await database.execute(FILLED);
    await migrate(database, migrations);
    expect(await feedOf(database)).toEqual([
      [1, 3],
      [2, 4],
      [3, 5],
      [4, 1],
      [5, 2],
    ]);
    expect(await headOf(database)).toEqual({ stamped: 5, published: 5 });

    // A process of version 0.1 continues for a while: it writes an event, and its relay publishes one and deletes nothing.
    await database.execute(`
      UPDATE outbox SET published_at = now() WHERE event_id = 6;
      INSERT INTO chat_event (session_id, seq, type, sender_type, body) VALUES (2, 4, 'chat.message', 'client', 'from 0.1');
      INSERT INTO outbox (event_id) SELECT max(id) FROM chat_event;`);
    const stamped: number[] = [];
    for (let count = -1; count !== 0; ) {
      const [row] = await database.query<{ count: number }>('SELECT chat_stamp_feed(2) AS count', []);
      count = row?.count ?? 0;
      stamped.push(count);
    }
    expect(stamped).toEqual([2, 2, 1, 0]);
    const feed = await feedOf(database);
    expect(feed.map(([feedSeq]) => feedSeq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(feed.slice(5).map(([, event]) => event)).toEqual([6, 7, 8, 9, 10]);
    expect(await headOf(database)).toEqual({ stamped: 10, published: 5 });
    const outOfOrder = await database.query(
      `SELECT 1 FROM feed a JOIN chat_event x ON x.id = a.event_id JOIN feed b ON b.feed_seq > a.feed_seq
        JOIN chat_event y ON y.id = b.event_id WHERE x.session_id = y.session_id AND x.seq > y.seq`,
      [],
    );
    expect(outOfOrder).toEqual([]);
  });
});
