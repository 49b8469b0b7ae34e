import { feedCursorSchema, feedSeqOf } from '@chat-realtime/protocol';
import type { StartCursor } from './connection.ts';

interface CustomerStart {
  /** Null if the client named no readable session: no token matches it. */
  readonly sessionId: number | null;
  readonly start: StartCursor;
}

/** A client's credentials, the same for every transport. */
export type Credentials =
  | (CustomerStart & {
      readonly kind: 'customer';
      readonly token: string | undefined;
      readonly replaces?: string | undefined;
    })
  | (CustomerStart & { readonly kind: 'stream_link'; readonly signature: string | undefined })
  | {
      readonly kind: 'staff';
      readonly token: string | undefined;
      readonly start: StartCursor;
      readonly replaces?: string | undefined;
    };

/** Where a staff client begins. */
export function feedStart(cursor: string | undefined): StartCursor {
  if (cursor === undefined) return { kind: 'head' };
  if (!feedCursorSchema.safeParse(cursor).success) return { kind: 'unreadable' };
  const after = feedSeqOf(cursor);
  return after === undefined ? { kind: 'outdated' } : { kind: 'after', cursor: after };
}
