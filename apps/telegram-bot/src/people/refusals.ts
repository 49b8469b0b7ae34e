import { ChatError } from '@chat-realtime/protocol';
import type { Texts } from '../texts.ts';

const PASSING = new Set(['unavailable', 'internal_error', 'rate_limited', 'storage_full']);

/** What may be different in a moment: the update waits, and all behind it in its chat. `isFault`: not for ever. */
export function isPassing(error: ChatError): boolean {
  return PASSING.has(error.code);
}

/** Of chat-service itself: in a moment it may be well again, or refuse this update for as long as it runs. */
export function isFault(error: unknown): boolean {
  return error instanceof ChatError && error.code === 'internal_error';
}

/** What an operator is told of a refusal. @throws the error itself when it is none, or a passing one. */
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
