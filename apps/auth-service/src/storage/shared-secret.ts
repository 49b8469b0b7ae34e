import { randomBytes } from 'node:crypto';
import type { Database } from '@chat-realtime/database';

/** A secret that is made once and is the same for every instance: the first one makes it, the others read it. */
export async function sharedSecret(database: Database, name: string): Promise<Buffer> {
  const db = database.kysely;
  await db
    .insertInto('auth_secret')
    .values({ name, value: randomBytes(32).toString('base64url') })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const { value } = await db
    .selectFrom('auth_secret')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return Buffer.from(value, 'base64url');
}
