import { randomUUID } from 'node:crypto';
import type { MigrationConnection } from './migrate.ts';

interface Identity {
  fingerprint: string;
}
interface MetaRow {
  name: string;
  value: string;
}

/**
 * The epoch names one unbroken history of events. A backup brought back may give the same seq a second time, so a
 * database that finds itself somewhere else than before (another cluster, another database, another timeline) takes a
 * new epoch, and clients take a snapshot instead of trusting their cursors.
 *
 * A logical copy (pg_dump) keeps the stored transaction ids while the new cluster counts from the beginning; the feed,
 * which is ordered by them, would hide those rows for ever and sort new ones before them. They are then all given the
 * oldest id, which leaves them in the order of their own ids and before everything new.
 */
export async function establishEpoch(connection: MigrationConnection): Promise<string> {
  const [identity] = await connection.query<Identity>(
    `SELECT s.system_identifier || '/' || d.oid || '/' || c.timeline_id AS fingerprint
       FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()`,
    [],
  );
  const fingerprint = identity?.fingerprint ?? 'unknown';
  const rows = await connection.query<MetaRow>(
    `SELECT name, value FROM chat_meta WHERE name IN ('epoch', 'fingerprint')`,
    [],
  );
  const known = new Map(rows.map((row) => [row.name, row.value]));
  const epoch = known.get('epoch');
  if (epoch !== undefined && known.get('fingerprint') === fingerprint) return epoch;
  const fresh = randomUUID();
  await connection.execute('BEGIN');
  try {
    await connection.query(
      `UPDATE chat_event SET xid = '3'::xid8
        WHERE EXISTS (SELECT 1 FROM chat_event WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))`,
      [],
    );
    await connection.query(
      `INSERT INTO chat_meta (name, value) VALUES ('epoch', $1), ('fingerprint', $2)
       ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value`,
      [fresh, fingerprint],
    );
    await connection.execute('COMMIT');
  } catch (error) {
    await connection.execute('ROLLBACK');
    throw error;
  }
  return fresh;
}
