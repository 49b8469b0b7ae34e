import { CLOSED_CALLBACK_STATUSES } from '@chat-realtime/protocol';

/** The open requests in SQL, spelt as the index `chat_callback_owed` is: `${column} NOT IN (…)`. */
export function isOpenIn(column: string): string {
  return `${column} NOT IN (${CLOSED_CALLBACK_STATUSES.map((status) => `'${status}'`).join(', ')})`;
}
