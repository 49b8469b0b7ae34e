import type { ErrorCode } from '@chat-realtime/protocol';

/** Codes of the server (SPEC.md, error codes) and of the client itself. */
export type ChatClientErrorCode =
  | ErrorCode
  | 'network'
  | 'timeout'
  | 'aborted'
  | 'invalid_response'
  | 'no_session'
  | 'discarded'
  | 'destroyed';

export interface ChatClientErrorOptions extends ErrorOptions {
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly details?: unknown;
}

/** The one error class of this package; decide by `code`, or by `retryable`. */
export class ChatClientError extends Error {
  override readonly name = 'ChatClientError';
  declare readonly code: ChatClientErrorCode;
  /** HTTP status; 0 where there was no answer. */
  declare readonly status: number;
  declare readonly retryAfterMs: number | undefined;
  declare readonly details: unknown;

  constructor(code: ChatClientErrorCode, message: string = code, options: ChatClientErrorOptions = {}) {
    super(message);
    Object.assign(this, { code, status: 0 }, options);
  }

  /** The same request may succeed later: no answer, 408, 429 or 5xx. */
  get retryable(): boolean {
    const { code, status } = this;
    return ['network', 'timeout', 'invalid_response'].includes(code) || [408, 429].includes(status) || status >= 500;
  }
}

/** Whatever was thrown, as the one class; what is none of it is no answer one could understand. */
export function asError(thrown: unknown): ChatClientError {
  return thrown instanceof ChatClientError
    ? thrown
    : new ChatClientError('invalid_response', undefined, { cause: thrown });
}
