import { ChatError } from '@chat-realtime/protocol';

/** Position in the staff feed: transaction id (64 bits, as text), then event id. */
export interface FeedPosition {
  readonly xid: string;
  readonly id: number;
}

export const FEED_START: FeedPosition = { xid: '0', id: 0 };
const MAX_XID = 2n ** 64n - 1n;

export function formatCursor(position: FeedPosition): string {
  return `${position.xid}.${position.id}`;
}

/** `undefined`: a number no database can have given out. The text has passed `feedCursorSchema`. */
export function parseCursor(text: string): FeedPosition | undefined {
  const [xid = '', id = ''] = text.split('.');
  const number = Number(id);
  if (BigInt(xid) > MAX_XID || !Number.isSafeInteger(number)) return undefined;
  return { xid: BigInt(xid).toString(), id: number };
}

export function comparePositions(a: FeedPosition, b: FeedPosition): number {
  const left = BigInt(a.xid);
  const right = BigInt(b.xid);
  if (left !== right) return left < right ? -1 : 1;
  return a.id - b.id;
}

export function laterPosition(a: FeedPosition, b: FeedPosition): FeedPosition {
  return comparePositions(a, b) >= 0 ? a : b;
}

export type CursorReset = 'cursor_ahead' | 'cursor_unknown';

export function resetError(reset: CursorReset): ChatError {
  return new ChatError(reset, 'this cursor is not of this database as it is now: take a snapshot');
}
