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
