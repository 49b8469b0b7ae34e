import { asError, type ChatClientErrorCode } from '../errors.ts';

const CLOSE_BY_CODE: Readonly<Partial<Record<ChatClientErrorCode, number>>> = {
  token_expired: 4401,
  missing_credentials: 4501,
  bad_token: 4501,
  bad_credentials: 4501,
  token_revoked: 4505,
  forbidden: 4503,
  customer_rest_off: 4503,
  origin_not_allowed: 4503,
  session_not_found: 4504,
  connection_limit: 4529,
  channel_off: 4530,
  rate_limited: 4429,
  unavailable: 1013,
};

/** Maps an HTTP error to the close code that a WebSocket would have got, so that one table decides what follows. */
export function closeCodeOf(error: unknown): number {
  return CLOSE_BY_CODE[asError(error).code] ?? 1006;
}

/** The cursor is of another database, or ahead of it: 409 here, a frame on the streams. */
export function resetReasonOf(error: unknown): string | null {
  const { code } = asError(error);
  return ['cursor_ahead', 'cursor_unknown'].includes(code) ? code : null;
}
