export { type AuditEntry, recordAudit } from './audit.ts';
export { prepareArchive } from './archive.ts';
export { beginNewEpoch, readEpoch, settleRestoredEvents } from './epoch.ts';
export { type FolderGuard, guardFolder } from './folder-guard.ts';
export { openDatabase } from './open.ts';
export { readRevocations, type RevocationPage, type RevocationPlace } from './revocations.ts';
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
