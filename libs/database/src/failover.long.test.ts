import { type PostgresServer, startPostgres, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase, readEpoch } from './index.ts';

let primary: PostgresServer;
let standby: PostgresServer;
beforeAll(async () => {
  primary = await startPostgres();
  const database = await openDatabase(primary.url);
  await database.close();
  standby = await startPostgres({ standbyOf: primary });
}, 300_000);
afterAll(() => Promise.all([primary.stop(), standby.stop()]));

async function epochOf(url: string): Promise<string | null> {
  const database = await openDatabase(url);
  try {
    return await readEpoch(database);
  } finally {
    await database.close();
  }
}

it('[RES10] a promoted standby may lack confirmed writes, and has another epoch; a restart keeps the epoch', async () => {
  const before = await epochOf(primary.url);
  // As the previous schema computed it, from the control file: an update changes no epoch.
  const [known] = await primary.query(
    `SELECT left(encode(sha256(convert_to(concat_ws('/', m.value, m.xmin, s.system_identifier, d.oid, c.timeline_id), 'UTF8')), 'hex'), 32) AS epoch
       FROM chat_meta m, pg_control_system() s, pg_control_checkpoint() c, pg_database d
      WHERE m.name = 'epoch' AND d.datname = current_database()`,
  );
  expect(before).toBe(known?.['epoch']);
  const followed = async () => (await standby.query('SELECT chat_epoch() AS epoch'))[0]?.['epoch'];
  await until(async () => (await followed()) === before, { what: 'the standby having followed' });
  await primary.kill();
  await standby.query('SELECT pg_promote(true, 60)');
  const after = await epochOf(standby.url);
  expect(after).not.toBeNull();
  expect(after).not.toBe(before);
  await standby.restart();
  expect(await epochOf(standby.url)).toBe(after);
}, 180_000);
