import { resolve } from 'node:path';
import { type PostgresAccess, accessEmbeddedPostgres } from '@chat-realtime/embedded-postgres';
import { databaseFolder } from '../reset.ts';

/**
 * The database of the services, bypassing a pooler; otherwise the embedded one, whether it is running or not. Only a
 * caller that fills it may `create` it, so that a wrong DATA_DIR is not answered from a new, empty database.
 */
export async function accessDatabase(
  env: Readonly<Record<string, string | undefined>>,
  may: { readonly create: boolean },
): Promise<PostgresAccess> {
  const { DATABASE_DIRECT_URL: direct, DATABASE_URL: pooled, DATA_DIR: dataDir } = env;
  const url = direct || pooled;
  if (url) return { url, stop: async () => undefined };
  return accessEmbeddedPostgres(databaseFolder(resolve(dataDir || './data')), may);
}
