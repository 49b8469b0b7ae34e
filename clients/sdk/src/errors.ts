import type { ErrorCode } from '@chat-realtime/protocol';

/** Codes of the server (SPEC.md, error codes) and of the client itself. */
export type ChatClientErrorCode =
  | ErrorCode
  | 'network'
  | 'timeout'
  | 'aborted'
  | 'invalid_response'
  /** It may have been done and nothing can tell; a second time is for the person to ask for. */
  | 'unconfirmed'
  | 'no_session'
  /** The call is for guests, and the site has signed the visitor in. */
  | 'signed_in'
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
  /** HTTP status; 0 if there was no answer. */
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

/** A part of this package that is loaded when it is needed: without it, the network is at fault. */
export function later<T>(loading: Promise<T>): Promise<T> {
  return loading.catch((cause: unknown) => {
    throw new ChatClientError('network', undefined, { cause });
  });
}

/** What the status of somebody else's answer means, such as one for a token: 4xx is final, but for 408 and 429. */
function codeOf(status: unknown): ChatClientErrorCode {
  if (status === 401) return 'missing_credentials';
  return typeof status === 'number' && status >= 400 && status < 500 && ![408, 429].includes(status)
    ? 'forbidden'
    : 'invalid_response';
}

/** Whatever was thrown, as the one class; what is none of it and has no `status` is no answer one could understand. */
export function asError(thrown: unknown): ChatClientError {
  if (thrown instanceof ChatClientError) return thrown;
  const status = (thrown as { status?: unknown } | null | undefined)?.status;
  return new ChatClientError(codeOf(status), undefined, { cause: thrown });
}
