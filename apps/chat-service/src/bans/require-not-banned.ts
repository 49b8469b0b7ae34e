import type { Database } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { rateLimitKey } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import { translated } from '../storage/errors.ts';

export function bannedError(): ChatError {
  return new ChatError('banned', 'messages from here are no longer accepted');
}

/**
 * For everything except posts: uploads, callback requests, page reports, transcripts. Throws 403 `banned`. `address`:
 * null if unknown, as with mail and Telegram.
 */
export async function requireAllowed(
  database: Database,
  sessionId: number | null,
  address: string | null,
): Promise<void> {
  const network = address === null ? null : rateLimitKey(address);
  const result = await translated(() =>
    sql<{ banned: boolean }>`SELECT chat_is_banned(${sessionId}::bigint, ${network}) AS banned`.execute(
      database.kysely,
    ),
  );
  if (result.rows[0]?.banned === true) throw bannedError();
}
