import { MAX_INTEGER } from '@chat-realtime/protocol';
import type { StartCursor } from '../connections/connection.ts';
import { type Credentials, feedStart } from '../connections/credentials.ts';

const REPLACES_MAX = 64;

/** Tokens given beside the query, so that none need stand in a URL. */
export interface BesideQuery {
  readonly token: string | undefined;
  /** `Last-Event-ID`: wins over the cursor in the query. */
  readonly lastEventId?: string | undefined;
}

export type ReadCredentials =
  | { readonly kind: 'given'; readonly credentials: Credentials }
  /** Someone is named, but nothing is shown for it. */
  | { readonly kind: 'missing' }
  /** Nobody is named: a WebSocket says so in its first frame. */
  | { readonly kind: 'nobody' };

/** What a query asks for, the same on every transport. */
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

/** Null for a text that names nothing. */
export function readId(text: string): number | null {
  const value = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  return value <= MAX_INTEGER ? value : null;
}

export function readSeqStart(text: string | undefined): StartCursor {
  if (text === undefined) return { kind: 'head' };
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return value <= MAX_INTEGER ? { kind: 'after', cursor: value } : { kind: 'unreadable' };
}
