import { ChatError } from '@chat-realtime/protocol';

/**
 * SQLSTATEs after which the same call may well succeed: timeouts, conflicts, a server that starts, stops or is full of
 * connections.
 */
const PASSING = new Set(['40001', '40P01', '53300', '55P03', '57014', '57P01', '57P02', '57P03', '25P03']);
const FULL = new Set(['53100', '53200']);
/** What sockets and pg say when the server cannot be reached; pg has no code for some of them. */
const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENOENT',
]);
const CONNECTION_TEXT =
  /connection (?:terminated|ended|timeout|is silent)|timeout exceeded when trying to connect|not queryable/i;
const RETRY_SECONDS = 1;

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Turns what a driver throws into the contract's answers; a fault of ours stays what it is. */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ChatError) return error;
  const code = codeOf(error);
  if (FULL.has(code)) return new ChatError('storage_full', 'the database has no space left', { cause: error });
  if (PASSING.has(code) || code.startsWith('08') || CONNECTION_CODES.has(code) || CONNECTION_TEXT.test(error.message)) {
    return new ChatError('unavailable', 'the database cannot answer now', {
      cause: error,
      retryAfterSeconds: RETRY_SECONDS,
    });
  }
  return error;
}

export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error);
  }
}
