import { type Database, DatabaseStartError } from '@chat-realtime/database';

const BEGIN = { name: 'chat-begin-ledger', text: 'SELECT chat_begin_ledger() AS begun' } as const;

/**
 * To be called before the first event: from here on every number made here is above those of the site.
 * @throws DatabaseStartError where chats of its own lie in the database.
 */
export async function beginLedger(database: Database): Promise<void> {
  const [row] = await database.query<{ begun: boolean }>(BEGIN);
  if (row?.begun === true) return;
  throw new DatabaseStartError(
    'CHAT_ROLE=ledger: this database holds chats of its own, whose numbers would be taken for those of the site. ' +
      'Give the ledger an empty database (DATABASE_URL, or an empty DATA_DIR).',
  );
}
