import { openPglite } from './pglite.ts';
import { openPostgres } from './postgres.ts';
import { type Database, DatabaseStartError, type OpenOptions } from './types.ts';

const PGLITE = 'pglite:';

/**
 * Opens `postgres://…`, `pglite:<folder>` or `pglite:memory`, brings its schema up to date (unless `migrate` is false) and
 * checks that it keeps what it confirms.
 * @throws DatabaseStartError when it cannot be used as it is; the text says what to change.
 */
export async function openDatabase(url: string, options: OpenOptions = {}): Promise<Database> {
  if (url.startsWith('postgres://') || url.startsWith('postgresql://')) return openPostgres(url, options);
  if (url === 'pglite:memory') return openPglite(undefined, options);
  if (url.startsWith(PGLITE) && url.length > PGLITE.length) return openPglite(url.slice(PGLITE.length), options);
  throw new DatabaseStartError('DATABASE_URL must be postgres://…, pglite:<folder> or pglite:memory');
}
