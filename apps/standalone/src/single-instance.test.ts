import { type Database, openDatabase } from '@chat-realtime/database';
import { createLogger } from '@chat-realtime/service-kit';
import { type PostgresServer, startPostgres } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InstanceClaim } from './single-instance.ts';

const logger = createLogger({ service: 'standalone', level: 'silent' });
let server: PostgresServer;
const databases: Database[] = [];
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await Promise.all(databases.map((database) => database.close()));
  await server.stop();
});

async function open(): Promise<Database> {
  const database = await openDatabase(server.url);
  databases.push(database);
  return database;
}

it('[OPS10] locks the database again after a restart or crash of it, and stays the only process on it', async () => {
  let taken = 0;
  const claim = await InstanceClaim.take(await open(), logger, () => {
    taken += 1;
  });
  const other = await open();
  const refused = 'another standalone process uses this database';
  for (const end of ['stop', 'kill'] as const) {
    await server[end]();
    await server.start();
    await expect.poll(() => holdsLock(other), { timeout: 10_000 }).toBe(true);
    await expect(InstanceClaim.take(other, logger, () => undefined)).rejects.toThrow(refused);
  }
  expect(taken).toBe(0);
  await claim.release();
  await (await InstanceClaim.take(other, logger, () => undefined)).release();
});

async function holdsLock(database: Database): Promise<boolean> {
  const text = `SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND objid = 3015434705 AND granted`;
  const rows = await database.query<{ n: number }>({ name: 'holds', text }).catch(() => []);
  return (rows[0]?.n ?? 0) > 0;
}
