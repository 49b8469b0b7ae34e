import { type Database, DatabaseStartError } from '@chat-realtime/database';

const BEGIN = { name: 'chat-begin-ledger', text: 'SELECT chat_begin_ledger() AS begun' } as const;

/**
 * Call it before the first event: from then on every number made here is above those of the site. @throws
 * DatabaseStartError if the database contains chats of our own.
 */
export async function beginLedger(database: Database): Promise<void> {
  const [row] = await database.query<{ begun: boolean }>(BEGIN);
  if (row?.begun === true) return;
  throw new DatabaseStartError(
    'CHAT_ROLE=ledger: this database holds chats of its own, whose numbers would be taken for those of the site. ' +
      'Give the ledger an empty database (DATABASE_URL, or an empty DATA_DIR).',
  );
}
