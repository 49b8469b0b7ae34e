import { sql } from 'kysely';
import { afterAll, expect, it } from 'vitest';
import { newChat, Stage } from '../../test/harness.ts';

const stage = new Stage();
afterAll(() => stage.stop());

it('[INT] reads the epoch once, however many sessions a catch-up names', async () => {
  const watching = await stage.harness();
  await sql`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET track_functions = ''all''', current_database()); END $$`.execute(
    watching.database.kysely,
  );
  const asked = async (): Promise<number> => {
    const { rows } = await sql<{ calls: number }>`SELECT COALESCE(sum(calls), 0)::float8 AS calls
      FROM pg_stat_user_functions WHERE funcname = 'chat_epoch'`.execute(watching.database.kysely);
    return rows[0]?.calls ?? Number.NaN;
  };
  const asking = await watching.another();
  const ids: number[] = [];
  for (let count = 0; count < 40; count += 1) ids.push((await newChat(asking.chat, `chat ${count}`)).id);
  const before = await asked();
  const { sessions } = await asking.chat.catchup({ sessions: ids.map((id) => ({ id, after_seq: 0 })), limit: 10 });
  expect(sessions).toHaveLength(40);
  // PostgreSQL writes the counts when the connections end.
  await asking.close();
  await expect.poll(asked).toBeGreaterThan(before);
  expect((await asked()) - before).toBeLessThan(10);
  await watching.close();
});
