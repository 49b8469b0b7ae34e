import type { ErrorCode } from '@chat-realtime/protocol';

/** How sockets and PostgreSQL say that the other side is away, overloaded or restarting, and not that we are wrong. */
const PASSING = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '25P03',
  '40001',
  '40P01',
  '53300',
  '55P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
]);
const FULL = new Set(['ENOSPC', '53100']);
/** The PostgreSQL driver has no codes for these. */
const PASSING_TEXT =
  /^(?:Connection terminated|Client has encountered a connection error|timeout exceeded when trying|Query read timeout)/;

function codeOf(error: Error): string {
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : '';
}

/** What an unexpected error means when a dependency caused it; `undefined` when it is a fault of the service itself. */
export function dependencyFailure(error: unknown): ErrorCode | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (FULL.has(codeOf(cause))) return 'storage_full';
    if (PASSING.has(codeOf(cause)) || PASSING_TEXT.test(cause.message)) return 'unavailable';
  }
  return undefined;
}
