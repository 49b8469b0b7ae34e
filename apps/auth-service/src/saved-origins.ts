import type { Database } from '@chat-realtime/database';
import { originsSchema } from '@chat-realtime/protocol';

/**
 * The origins that an admin has saved in chat-service, if both use one database. Anything but a list counts as none:
 * then only pages of the own host are allowed.
 */
export async function savedOrigins(database: Database): Promise<readonly string[]> {
  const row = await database.kysely
    .selectFrom('widget_setting')
    .select('value')
    .where('name', '=', 'origins')
    .executeTakeFirst();
  return originsSchema.safeParse(row?.value['rule']).data ?? [];
}
