import { sql } from 'kysely';
import { afterAll, expect, it } from 'vitest';
import { newChat, Stage } from '../../test/harness.ts';

const stage = new Stage();
afterAll(() => stage.stop());

it('[AMQP1] reads no more of a long feed than it publishes', async () => {
  const harness = await stage.harness();
  const { chat, service, publisher, database } = harness;
  await sql`INSERT INTO feed (feed_seq, event_id) SELECT n, -n FROM generate_series(1, 20000) n`.execute(
    database.kysely,
  );
  await sql`UPDATE feed_head SET stamped = 20000, published = 20000`.execute(database.kysely);
  await sql`INSERT INTO feed_mark SELECT n, clock_timestamp() - (20000 - n) * interval '1 second' FROM generate_series(16000, 19999) n`.execute(
    database.kysely,
  );
  await sql`ANALYZE feed, feed_mark`.execute(database.kysely);
  const reader = await harness.another();
  const read = async (): Promise<Record<string, number>> => {
    const { rows } = await sql<{ name: string; n: number }>`SELECT relname AS name,
      (seq_tup_read + idx_tup_fetch)::float8 AS n FROM pg_stat_user_tables WHERE relname IN ('feed', 'feed_mark')`.execute(
      reader.database.kysely,
    );
    return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
  };
  const before = await read();
  service.start();
  const { id, says } = await newChat(chat, 'hi');
  for (let seq = 3; seq < 13; seq += 1) {
    await says('there');
    await expect.poll(() => publisher.seqsOf(id).at(-1), { interval: 2 }).toBe(seq);
  }
  // PostgreSQL writes the counts when the connections end.
  await harness.close();
  await expect.poll(async () => (await read())['feed']).toBeGreaterThan(before['feed'] ?? 0);
  const after = await read();
  expect((after['feed'] ?? 0) - (before['feed'] ?? 0)).toBeLessThan(500);
  // Old marks are removed once.
  expect((after['feed_mark'] ?? 0) - (before['feed_mark'] ?? 0)).toBeLessThan(5_000);
  await reader.close();
});

it('[AMQP1] publishes no more than a megabyte of text at a time', async () => {
  const { service, publisher, database } = await stage.harness();
  await sql`WITH event AS (INSERT INTO chat_event (type, body)
      SELECT 'chat.note', repeat('x', 300000) FROM generate_series(1, 10) RETURNING id)
    INSERT INTO outbox (event_id) SELECT id FROM event`.execute(database.kysely);
  service.start();
  await expect.poll(() => publisher.events.length, { timeout: 10_000 }).toBe(10);
  expect(publisher.batches.map(({ size }) => size)).toEqual([4, 4, 2]);
});

it('[FEED4] waits for disk and standby, as the server is configured, when it assigns numbers, but never for a mark', async () => {
  const { chat, database } = await stage.harness();
  await newChat(chat, 'hi');
  const batch = (mark: number | null) =>
    database.kysely.transaction().execute(async (trx) => {
      await sql`SET LOCAL synchronous_commit = remote_apply`.execute(trx);
      const from = mark === null ? null : 0;
      const { rows } = await sql`SELECT feed_seq FROM chat_next_batch(${from}::bigint, ${mark}::bigint, 1000)`.execute(
        trx,
      );
      const setting = await sql<{ waits: string }>`SELECT current_setting('synchronous_commit') AS waits`.execute(trx);
      return { rows: rows.length, waits: setting.rows[0]?.waits };
    });
  expect(await batch(null)).toEqual({ rows: 2, waits: 'remote_apply' });
  expect(await batch(2)).toEqual({ rows: 0, waits: 'off' });
  await newChat(chat);
  await sql`UPDATE feed_head SET published = 0`.execute(database.kysely);
  expect(await batch(2)).toEqual({ rows: 1, waits: 'remote_apply' });
});
