import { connectQuerySchema, REPLACES_MAX } from '@chat-realtime/protocol';
import type { StartCursor } from '../connections/connection.ts';
import { type Credentials, feedStart } from '../connections/credentials.ts';

/** Tokens from headers, so that a URL need not contain one. */
export interface BesideQuery {
  readonly token: string | undefined;
  /** `Last-Event-ID`: takes precedence over the cursor in the query. */
  readonly lastEventId?: string | undefined;
}

export type ReadCredentials =
  | { readonly kind: 'given'; readonly credentials: Credentials }
  /** A session or operator is named, but no credential is given. */
  | { readonly kind: 'missing' }
  /** Nothing is named: a WebSocket names it in its first frame. */
  | { readonly kind: 'nobody' };

/** The contents of a query, the same on every transport. */
export function readCredentials(query: URLSearchParams, beside: BesideQuery): ReadCredentials {
  const replaces = textParameter(query, 'replaces')?.slice(0, REPLACES_MAX);
  const lastEventId = beside.lastEventId === '' ? undefined : beside.lastEventId;
  if (query.get('type') === 'staff') {
    const token = textParameter(query, 'access_token') ?? beside.token;
    if (token === undefined) return { kind: 'missing' };
    const start = feedStart(lastEventId ?? textParameter(query, 'cursor'));
    return { kind: 'given', credentials: { kind: 'staff', token, start, replaces } };
  }
  const session = query.get('session');
  if (session === null) return beside.token === undefined ? { kind: 'nobody' } : { kind: 'missing' };
  const token = textParameter(query, 'token') ?? beside.token;
  if (token === undefined) return { kind: 'missing' };
  const start = readSeqStart(lastEventId ?? textParameter(query, 'last_seq'));
  return { kind: 'given', credentials: { kind: 'customer', sessionId: readId(session), token, start, replaces } };
}

/** An empty parameter counts as absent. */
export function textParameter(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value === null || value === '' ? undefined : value;
}

/** Null for a text that is not a session id. */
export function readId(text: string): number | null {
  return connectQuerySchema.shape.session.safeParse(text).data ?? null;
}

export function readSeqStart(text: string | undefined): StartCursor {
  if (text === undefined) return { kind: 'head' };
  const { data: cursor } = connectQuerySchema.shape.last_seq.safeParse(text);
  return cursor === undefined ? { kind: 'unreadable' } : { kind: 'after', cursor };
}
