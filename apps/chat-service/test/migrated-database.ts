import { openDatabase } from '@chat-realtime/database';
import { createDatabase } from '@chat-realtime/testkit';

/** With the schema of now, as a copy: the migrations run once for all test files of a worker. Answers its url. */
export function migratedDatabase(): Promise<string> {
  return createDatabase({ name: 'migrated', prepare: async (url) => (await openDatabase(url)).close() });
}
