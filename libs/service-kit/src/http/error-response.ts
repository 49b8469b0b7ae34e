import { ChatError, ERROR_CODES, type ErrorBody, type ErrorCode } from '@chat-realtime/protocol';
import { HttpException } from '@nestjs/common';
import { dependencyFailure } from './dependency-failure.ts';

export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
  /** Not the client's doing: its cause belongs into the log and never into the answer. */
  readonly fault: boolean;
}

const DEFAULT_RETRY_AFTER_SECONDS = 5;

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'missing_credentials',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  // A path parameter longer than any id: no such thing.
  414: 'not_found',
  415: 'unsupported_media_type',
  422: 'validation_failed',
  426: 'upgrade_required',
  429: 'rate_limited',
  503: 'unavailable',
};

/** What frameworks throw has a status; their texts may quote the request, so they are not passed on. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  if (!(error instanceof Error)) return undefined;
  const status: unknown = Reflect.get(error, 'statusCode');
  return typeof status === 'number' && status >= 400 && status < 600 ? status : undefined;
}

function asChatError(error: unknown): ChatError {
  if (error instanceof ChatError) return error;
  const status = statusOf(error);
  if (status === undefined || (status >= 500 && status !== 503)) {
    const dependency = dependencyFailure(error);
    if (dependency !== undefined) return new ChatError(dependency, ERROR_CODES[dependency].meaning, { cause: error });
    return new ChatError('internal_error', 'the server failed on this request', { cause: error });
  }
  const code = CODE_BY_STATUS[status] ?? 'malformed_request';
  return new ChatError(code, ERROR_CODES[code].meaning, { cause: error });
}

/** Any error as the contract's envelope. */
export function errorResponse(error: unknown, requestId: string): ErrorResponse {
  const chatError = asChatError(error);
  const { code, message, status, details, retryAfterSeconds } = chatError;
  const headers: Record<string, string> = {};
  if (status === 429 || status === 503) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS)));
  }
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  return {
    status,
    headers,
    body: { error: { code, message, request_id: requestId, ...(details === undefined ? {} : { details }) } },
    fault: status >= 500 && chatError.cause !== undefined,
  };
}
