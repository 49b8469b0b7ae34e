import { openDatabase, type Database } from '@chat-realtime/database';
import { createMetrics, type Metrics } from '@chat-realtime/service-kit';
import { dropDatabase } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { migratedDatabase } from '../../test/migrated-database.ts';
import { SupportMetrics } from './support-metrics.ts';

let url: string;
let database: Database;
beforeAll(async () => {
  url = await migratedDatabase();
  database = await openDatabase(url, { applicationName: 'test', poolSize: 1 });
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

async function value(metrics: Metrics, name: string): Promise<number> {
  const line = new RegExp(`^${name} (\\S+)$`, 'm').exec(await metrics.collect())?.[1];
  return Number(line);
}

it('[OPS3] reports how many customers wait and how long, what is unread, and which callbacks are overdue', async () => {
  await sql`INSERT INTO chat_session (waiting_since, client_msgs) VALUES (now() - interval '90 seconds', 2), (now(), 1), (NULL, 0)`.execute(
    database.kysely,
  );
  await sql`INSERT INTO chat_callback (phone, due_at, status) VALUES ('+7', now() - interval '1 hour', 'new'),
    ('+7', now() - interval '1 hour', 'done'), ('+7', now() + interval '1 hour', 'new')`.execute(database.kysely);
  const metrics = createMetrics('test');
  const figures = new SupportMetrics(database, metrics);
  expect(await value(metrics, 'chat_desk_waiting_sessions')).toBe(0);
  await figures.run();
  expect(await value(metrics, 'chat_desk_waiting_sessions')).toBe(2);
  expect(await value(metrics, 'chat_desk_oldest_waiting_seconds')).toBeGreaterThanOrEqual(90);
  expect(await value(metrics, 'chat_desk_unread_sessions')).toBe(2);
  expect(await value(metrics, 'chat_desk_callbacks_due')).toBe(1);
  expect(await value(metrics, 'chat_webhook_deliveries_pending')).toBe(0);
});

it('[OPS3] reports no figures after losing the relay leadership', async () => {
  const metrics = createMetrics('test');
  const figures = new SupportMetrics(database, metrics);
  await figures.run();
  expect(await value(metrics, 'chat_desk_waiting_sessions')).toBe(2);
  const later = performance.now() + 25_000;
  const clock = vi.spyOn(performance, 'now').mockReturnValue(later);
  try {
    expect(await value(metrics, 'chat_desk_waiting_sessions')).toBe(0);
  } finally {
    clock.mockRestore();
  }
});
