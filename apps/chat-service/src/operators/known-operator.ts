import type { Tables } from '@chat-realtime/database';
import type { Kysely } from 'kysely';
import type { Assignee } from '../actors.ts';
import { fieldError } from '../field-error.ts';

/**
 * Who can be given work: an active account of auth-service, or with another auth-service anyone who has used a token.
 * An unknown id would make the chat vanish from every list.
 */
export async function requireOperator(db: Kysely<Tables>, userId: string, field: string): Promise<Assignee> {
  const account = await db
    .selectFrom('auth_operator')
    .select(['id', 'name', 'active'])
    .where('id', '=', userId)
    .executeTakeFirst();
  const known =
    account ??
    (await db.selectFrom('chat_operator').select(['id', 'name']).where('id', '=', userId).executeTakeFirst());
  if (known === undefined || account?.active === false) throw fieldError(field, 'no such operator');
  return { id: known.id, name: known.name };
}

/** Whose work may be given away: also that of an account that was closed, or ended, in the meantime. */
export async function requireKnown(db: Kysely<Tables>, userId: string, field: string): Promise<void> {
  const known =
    (await db.selectFrom('auth_operator').select('id').where('id', '=', userId).executeTakeFirst()) ??
    (await db.selectFrom('chat_operator').select('id').where('id', '=', userId).executeTakeFirst());
  if (known === undefined) throw fieldError(field, 'no such operator');
}

/** The site's word for an operator who has not shown a token yet. */
export async function rememberOperator(db: Kysely<Tables>, userId: string): Promise<void> {
  await db
    .insertInto('chat_operator')
    .values({ id: userId, name: null, role: 'operator' })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}
