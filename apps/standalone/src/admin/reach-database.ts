import { resolve } from 'node:path';
import { type ReachedPostgres, reachEmbeddedPostgres } from '@chat-realtime/embedded-postgres';
import { databaseFolder } from '../reset.ts';

/**
 * The database of the services, past a pooler where one stands before it; else the embedded one, whether the chat runs or
 * not. Only who fills it may `create` that one: else a wrong DATA_DIR would be answered from a new, empty database.
 */
export async function reachDatabase(
  env: Readonly<Record<string, string | undefined>>,
  may: { readonly create: boolean },
): Promise<ReachedPostgres> {
  const { DATABASE_DIRECT_URL: direct, DATABASE_URL: pooled, DATA_DIR: dataDir } = env;
  const url = direct || pooled;
  if (url) return { url, stop: async () => undefined };
  return reachEmbeddedPostgres(databaseFolder(resolve(dataDir || './data')), may);
}
