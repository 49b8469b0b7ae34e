import { ChatError, type CursorReset, feedSeqOf } from '@chat-realtime/protocol';

export type CursorVerdict =
  | { readonly ok: true; readonly after: number }
  | { readonly ok: false; readonly reset: CursorReset };

/** Whether the feed, whose last number is `head`, can go on after a cursor. The text has passed `feedCursorSchema`. */
export function judgeCursor(cursor: string, head: number): CursorVerdict {
  const after = feedSeqOf(cursor);
  // A cursor of version 0.1 named a position in a different order.
  if (after === undefined) return { ok: false, reset: 'cursor_unknown' };
  return after > head ? { ok: false, reset: 'cursor_ahead' } : { ok: true, after };
}

export function resetError(reset: CursorReset): ChatError {
  return new ChatError(reset, 'this cursor is not of this database as it is now: take a snapshot');
}
