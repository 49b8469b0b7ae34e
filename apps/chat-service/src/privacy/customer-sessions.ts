import type { Tables } from '@chat-realtime/database';
import type { Kysely } from 'kysely';
import { translated } from '../storage/errors.ts';

const PAGE = 500;

/** Every chat of a customer, the oldest first; each page is read when the one before was worked through. */
export async function* customerSessions(kysely: Kysely<Tables>, customerId: string): AsyncGenerator<number> {
  for (let after = 0; ; ) {
    const rows = await translated(() =>
      kysely
        .selectFrom('chat_session')
        .select('id')
        .where('customer_id', '=', customerId)
        .where('id', '>', after)
        .orderBy('id')
        .limit(PAGE)
        .execute(),
    );
    for (const { id } of rows) {
      yield id;
      after = id;
    }
    if (rows.length < PAGE) return;
  }
}
