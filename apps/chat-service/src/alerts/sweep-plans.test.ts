import { openDatabase, type Database } from '@chat-realtime/database';
import { dropDatabase } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migratedDatabase } from '../../test/migrated-database.ts';
import { OperatorNotices } from '../notify/operator-notices.ts';
import { AlertSweeps } from './alert-sweeps.ts';

/** PostgreSQL plans a named statement anew for its first five runs on a connection, and then decides whether it need. */
const RUNS = 8;

let url: string;
let database: Database;
beforeAll(async () => {
  url = await migratedDatabase();
  // One connection, so that it shows its own plans.
  database = await openDatabase(url, { applicationName: 'test', poolSize: 1 });
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

it('on small tables the statements that run every second keep their plans', async () => {
  const alerts = new AlertSweeps(database, { waitingSeconds: 60, replyUnseenSeconds: 60, webhookUrls: [] });
  const notices = new OperatorNotices(database, false);
  for (let run = 0; run < RUNS; run += 1) {
    await alerts.run();
    await notices.run();
  }
  const kept = await database.query<{ name: string; generic_plans: number }>({
    name: 'kept-plans',
    text: `SELECT name, generic_plans::int FROM pg_prepared_statements WHERE name LIKE 'raise-%' OR name LIKE 'notice-%' ORDER BY name`,
  });
  expect(kept.map(({ name }) => name)).toEqual([
    'notice-causes',
    'raise-callback_due',
    'raise-callback_requested',
    'raise-reply_unseen',
    'raise-session_created',
    'raise-waiting',
  ]);
  for (const { name, generic_plans } of kept) expect(generic_plans, name).toBeGreaterThan(0);
});
