import type { Tables } from '@chat-realtime/database';
import type { Transaction } from 'kysely';

/**
 * Removes the other ways into a chat, and its notices: Telegram, push and mail. Called in the transaction that ends the
 * credentials.
 */
export async function unsubscribeSession(trx: Transaction<Tables>, sessionId: number): Promise<void> {
  await trx.deleteFrom('customer_telegram').where('session_id', '=', sessionId).execute();
  await trx.deleteFrom('telegram_code').where('session_id', '=', sessionId).execute();
  await trx.deleteFrom('push_subscription').where('session_id', '=', sessionId).execute();
  await trx.deleteFrom('mail_link').where('session_id', '=', sessionId).execute();
  await trx.deleteFrom('mail').where('session_id', '=', sessionId).where('user_id', 'is', null).execute();
}
