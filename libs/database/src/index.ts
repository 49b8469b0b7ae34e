/**
 * Opens PostgreSQL and migrates it. Every service calls `openDatabase` and gets typed tables (`tables.ts`); `migrate.ts`
 * applies `../migrations/*.sql` in order, under a lock, so that several services may start at once.
 *
 * A message is committed by stored functions that the migrations define, above all `chat_post_checked`.
 * `backup/` writes and restores the database without `pg_dump`.
 *
 * Start with `open.ts`, then `migration-rules.ts`: what a migration may contain.
 */
export { type AuditEntry, recordAudit } from './audit.ts';
export { connectPlainly, type PlainConnection } from './backup/connection.ts';
export { BackupError } from './backup/format.ts';
export { restoreBackup, type RestoredBackup } from './backup/restore.ts';
export { type WrittenBackup, writeBackup } from './backup/write.ts';
export { prepareArchive } from './archive.ts';
export { copyDatabase } from './copy-database.ts';
export { beginNewEpoch, readEpoch, settleRestoredEvents } from './epoch.ts';
export { type FolderGuard, FolderInUseError, guardFolder, MAX_SOCKET_PATH } from './folder-guard.ts';
export { headerOf, type Migration, type MigrationConnection, readMigrations } from './migration.ts';
export { schemaAge } from './migrate.ts';
export { openDatabase } from './open.ts';
export { recordPresence } from './presence.ts';
export { readRevocations } from './revocations.ts';
export {
  type Database,
  type DatabaseTransaction,
  type DatabaseLog,
  DatabaseStartError,
  type DedicatedSession,
  type OpenOptions,
  type Statement,
} from './types.ts';
export type * from './tables.ts';
export type * from './auth-tables.ts';
export type * from './telegram-tables.ts';
export type * from './notify-tables.ts';
