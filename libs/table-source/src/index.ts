/**
 * Follows the tables of a site that has a chat of its own. Triggers in the site's database write changed rows into a small
 * outbox table; `follower.ts` reads it, `events.ts` turns rows into plain events, and `delivery.ts` gives them to the
 * intake of chat-service. An event leaves the outbox only once it is stored there.
 *
 * - `postgres/`, `mysql/`: triggers and queries for each kind of database
 * - `testing/`: one suite for both, and a sample site
 *
 * `backfill.ts` imports the chats from before, `reconcile.ts` finds what the triggers missed.
 * Start with `table-source.ts`.
 */
export { backfill, type BackfillProgress, type BackfillResult } from './backfill.ts';
export { parseTableSource, type TableSourceConfig, TableSourceConfigError } from './config.ts';
export { siteConnection } from './connection.ts';
export { Delivery, type Tally } from './delivery.ts';
export { EventMapper } from './events.ts';
export type {
  DeadLetters,
  Intake,
  KnownSession,
  Ledger,
  OutboxState,
  Places,
  PlainEvent,
  Refused,
  SourceLog,
  SourceName,
  Taken,
} from './ports.ts';
export { printSql } from './print-sql.ts';
export type { Missed } from './reconcile.ts';
export { TableSource, type TableSourceObserver } from './table-source.ts';
