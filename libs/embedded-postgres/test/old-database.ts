import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { PGlite } from '@electric-sql/pglite';

const MIGRATIONS = new URL('../../database/migrations/', import.meta.url);
/** The last migration of version 0.1.0. */
const LAST = '0005';

/** The schema of 0.1.0 as that version made it, with two chats and what is hard to copy. `xid` gives their order. */
export async function makeOldDatabase(pglite: PGlite): Promise<void> {
  await pglite.exec(
    'CREATE TABLE schema_migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  );
  const files = (await readdir(MIGRATIONS)).filter((file) => file.endsWith('.sql') && file.slice(0, 4) <= LAST);
  for (const file of files.sort()) {
    const text = await readFile(new URL(file, MIGRATIONS), 'utf8');
    await pglite.exec(text);
    const checksum = createHash('sha256').update(text).digest('hex');
    await pglite.query('INSERT INTO schema_migration (name, checksum) VALUES ($1, $2)', [file.slice(0, -4), checksum]);
  }
  await pglite.exec(`
    INSERT INTO chat_session (name, last_seq, attributes) VALUES ('Ve"ra', 2, '{"a": [1.50, null, "\\u2028"]}'), ('two', 1, '{}');
    INSERT INTO chat_event (xid, session_id, seq, type, sender_type, body) VALUES
      ('900', 1, 1, 'chat.session.created', NULL, NULL),
      ('901', 1, 2, 'chat.message', 'client', E'line\\none \\\\ "quoted" 🙂 \\u2028'),
      ('20', 2, 1, 'chat.message', 'client', 'first of all');
    INSERT INTO chat_meta (name, value) VALUES ('epoch', 'of-before') ON CONFLICT (name) DO NOTHING;`);
}
