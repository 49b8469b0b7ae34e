import type { Database, Tables } from '@chat-realtime/database';
import { sql, type Transaction } from 'kysely';
import { translated } from '../storage/errors.ts';
import { ERASE_BATCH } from './erase-batches.ts';

/** What a site's source had and the channel could not carry is kept no longer, however long messages are. */
export const REFUSED_DAYS = 30;

const PENDING = 'site_dead_letters_to_empty';

/**
 * Refused rows of a site contain texts and names too. They are emptied and not deleted: the scan would meet the row of
 * the site again and put it aside once more. The reader of the site's broker empties what is there.
 */
export async function emptyRefused(trx: Transaction<Tables>, sessionId: number): Promise<void> {
  await sql`UPDATE table_source_refused r SET event = '{}'
    WHERE r.event <> '{}' AND r.session_id IN (
      SELECT ${String(sessionId)}::text UNION SELECT m.site_id FROM site_session m WHERE m.session_id = ${sessionId}::bigint)`.execute(
    trx,
  );
  await sql`INSERT INTO chat_meta (name, value) SELECT ${PENDING}, clock_timestamp()::text
    WHERE EXISTS (SELECT FROM chat_meta m WHERE m.name = 'ledger_since')
    ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value`.execute(trx);
}

/** Of whatever session, known or not: there may be none in the ledger. */
export async function emptyOldRefused(database: Database, at: Date, hasTime: () => boolean): Promise<void> {
  for (;;) {
    const done = await translated(() =>
      sql`UPDATE table_source_refused r SET event = '{}' WHERE r.id IN (
          SELECT o.id FROM table_source_refused o WHERE o.event <> '{}' AND o.refused_at < ${at} LIMIT ${ERASE_BATCH})`.execute(
        database.kysely,
      ),
    );
    if (Number(done.numAffectedRows ?? 0n) < ERASE_BATCH || !hasTime()) return;
  }
}

/** Empties the dead letters in the site's broker where an erasing since the last time wants it; over restarts as well. */
export async function emptyPendingLetters(database: Database, empty: () => Promise<void>): Promise<void> {
  const { rows } = await sql<{ value: string }>`SELECT m.value FROM chat_meta m WHERE m.name = ${PENDING}`.execute(
    database.kysely,
  );
  const pending = rows[0]?.value;
  if (pending === undefined) return;
  await empty();
  // An erasure that came in the meantime stays pending.
  await sql`DELETE FROM chat_meta m WHERE m.name = ${PENDING} AND m.value = ${pending}`.execute(database.kysely);
}
