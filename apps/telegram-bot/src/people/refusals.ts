import { ChatError } from '@chat-realtime/protocol';
import type { Texts } from '../texts.ts';

const PASSING = new Set(['unavailable', 'internal_error', 'rate_limited', 'storage_full']);

/** A temporary failure: the update waits, with everything behind it in its chat. `isFault`: not forever. */
export function isPassing(error: ChatError): boolean {
  return PASSING.has(error.code);
}

/** Of chat-service itself: in a moment it may be well again, or refuse this update for as long as it runs. */
export function isFault(error: unknown): boolean {
  return error instanceof ChatError && error.code === 'internal_error';
}

/** The text about a refusal for an operator. @throws the error itself if it is not a refusal, or a temporary one. */
export function refusalText(error: unknown, texts: Texts): string {
  if (!(error instanceof ChatError) || isPassing(error)) throw error;
  const { failed } = texts;
  switch (error.code) {
    case 'stale':
    case 'session_closed':
    case 'site_owned':
    case 'already_assigned':
    case 'invalid_transition':
    case 'session_not_found':
    case 'forbidden':
      return failed[error.code];
    default:
      return `${failed.other} (${error.code})`;
  }
}
