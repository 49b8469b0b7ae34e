import { ChatError, CLOSE_CODES, type CloseReason, ERROR_CODES, type ErrorCode } from '@chat-realtime/protocol';

/** Permanent refusals, as the HTTP statuses of SSE and poll. All others are temporary. */
const LASTING: Partial<Record<CloseReason, ErrorCode>> = {
  bad_token: 'bad_token',
  token_expired: 'token_expired',
  revoked: 'token_revoked',
  forbidden: 'forbidden',
  session_not_found: 'session_not_found',
};

const LIMIT_RETRY_SECONDS = 60;
const PASSING_RETRY_SECONDS = 2;

export function lastingRefusal(reason: CloseReason): ChatError | null {
  const code = LASTING[reason];
  return code === undefined ? null : new ChatError(code, ERROR_CODES[code].meaning);
}

/** A refusal on a transport without close codes. */
export function httpRefusal(reason: CloseReason): ChatError {
  const lasting = lastingRefusal(reason);
  if (lasting !== null) return lasting;
  const { meaning } = CLOSE_CODES[reason];
  if (reason === 'connection_limit')
    return new ChatError('connection_limit', meaning, { retryAfterSeconds: LIMIT_RETRY_SECONDS });
  if (reason === 'channel_off')
    return new ChatError('channel_off', meaning, { retryAfterSeconds: LIMIT_RETRY_SECONDS });
  if (reason === 'internal_error') return new ChatError('internal_error', meaning);
  return new ChatError('unavailable', meaning, { retryAfterSeconds: PASSING_RETRY_SECONDS });
}
