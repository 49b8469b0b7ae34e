import { randomUUID } from 'node:crypto';
import type { MigrationConnection } from './migrate.ts';
import type { Database, Statement } from './types.ts';

/**
 * The epoch identifies one unbroken history of events. A restored backup may give the same seq a second time, so it has
 * another epoch, and clients take a snapshot instead of trusting their cursors. `chat_epoch()` derives it from the
 * data. Statements that read heads or cursors read it too, since a value kept in a process outlives its database.
 */
const EPOCH: Statement = { name: 'epoch', text: 'SELECT chat_epoch() AS epoch' };
const NEW_EPOCH: Statement = {
  name: 'new-epoch',
  text: `UPDATE chat_meta SET value = $1 WHERE name = 'epoch'`,
};

/**
 * A logical copy (pg_dump) keeps the stored transaction ids while a new cluster counts from the beginning; the feed,
 * which is ordered by them, would hide those rows for ever and sort new ones before them. They are then all given the
 * oldest id, which leaves them in the order of their own ids and before everything new.
 */
export const SETTLE: Statement = {
  name: 'settle-restored-events',
  text: `UPDATE chat_event SET xid = '3'::xid8
          WHERE EXISTS (SELECT 1 FROM chat_event WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))`,
};

/** A database that has no name yet takes one; one that was brought back elsewhere gets its events in order. */
export async function establishEpoch(connection: MigrationConnection): Promise<void> {
  await connection.query(`INSERT INTO chat_meta (name, value) VALUES ('epoch', $1) ON CONFLICT (name) DO NOTHING`, [
    randomUUID(),
  ]);
  await connection.query(SETTLE.text, []);
}

/** Null while a restore has not brought it back yet. */
export async function readEpoch(database: Database): Promise<string | null> {
  const [row] = await database.query<{ epoch: string | null }>(EPOCH);
  return row?.epoch ?? null;
}

/**
 * For a history that was cut in a way that the data cannot show, such as a folder that was copied back. Returns the new
 * epoch.
 */
export async function beginNewEpoch(database: Database): Promise<string | null> {
  await database.query(NEW_EPOCH, [randomUUID()]);
  return readEpoch(database);
}

/** To be called when a running process sees another epoch than before. */
export async function settleRestoredEvents(database: Database): Promise<void> {
  await database.query(SETTLE);
}
