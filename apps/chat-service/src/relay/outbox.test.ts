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
  // The counts are written when the connections end.
  await harness.close();
  await expect.poll(async () => (await read())['feed']).toBeGreaterThan(before['feed'] ?? 0);
  const after = await read();
  expect((after['feed'] ?? 0) - (before['feed'] ?? 0)).toBeLessThan(500);
  // Old marks go once.
  expect((after['feed_mark'] ?? 0) - (before['feed_mark'] ?? 0)).toBeLessThan(5_000);
  await reader.close();
});
