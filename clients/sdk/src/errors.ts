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
  readonly code: ChatClientErrorCode;
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly details: unknown;

  constructor(code: ChatClientErrorCode, message: string = code, options: ChatClientErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.status = options.status ?? 0;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }

  /** The same request may succeed later: no answer, 408, 429 or 5xx. */
  get retryable(): boolean {
    const { code, status } = this;
    if (code === 'network' || code === 'timeout' || code === 'invalid_response') return true;
    return status === 408 || status === 429 || status >= 500;
  }
}
