import type { Database } from '@chat-realtime/database';
import {
  backfill,
  type BackfillProgress,
  type BackfillResult,
  Delivery,
  EventMapper,
  siteConnection,
  type TableSourceConfig,
} from '@chat-realtime/table-source';
import type { ChatLog } from '../../ports.ts';
import { beginLedger } from '../ledger-mark.ts';
import { PostgresIntake } from '../postgres-intake.ts';
import { LedgerView } from './ledger-view.ts';

export interface BackfillOptions {
  readonly database: Database;
  readonly config: TableSourceConfig;
  readonly log: ChatLog;
  readonly onProgress: (progress: BackfillProgress) => void;
}

/** Imports the chats in a site's tables into the ledger; continues where it was stopped. */
export async function backfillTables(options: BackfillOptions): Promise<BackfillResult> {
  const { database, config, log, onProgress } = options;
  await beginLedger(database);
  // The relay that runs elsewhere looks by itself; nobody here is to be told.
  const context = { database, log, committed: () => undefined, ephemeral: () => undefined };
  const intake = new PostgresIntake({
    context,
    observer: { taken: () => undefined, changed: () => undefined, nameless: () => undefined },
  });
  const places = new LedgerView(database);
  const site = await siteConnection(config).connect(() => undefined);
  try {
    // Triggers first: what is written while the copy runs would otherwise be in neither.
    await site.readOutbox(1);
    const zones = { sessions: site.zoneOf('sessions'), messages: site.zoneOf('messages') };
    const delivery = new Delivery({ intake, deadLetters: places, log });
    return await backfill({ site, mapper: new EventMapper(config, zones), delivery, places, onProgress });
  } finally {
    await site.close();
  }
}
