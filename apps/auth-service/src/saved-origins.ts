import type { Database } from '@chat-realtime/database';
import { originsSchema } from '@chat-realtime/protocol';

/**
 * The origins that an admin has saved with chat-service, where both have one database. What is no list is none: then only
 * pages of the own host may come.
 */
export async function savedOrigins(database: Database): Promise<readonly string[]> {
  const row = await database.kysely
    .selectFrom('widget_setting')
    .select('value')
    .where('name', '=', 'origins')
    .executeTakeFirst();
  return originsSchema.safeParse(row?.value['rule']).data ?? [];
}
