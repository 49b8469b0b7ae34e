/**
 * How sockets and PostgreSQL say that the other side is away, overloaded or restarting, and not that we are wrong: the
 * same call may well succeed a little later.
 */
const PASSING = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
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
/** Of all states of PostgreSQL that begin so: the connection is broken. */
const CONNECTION_CLASS = '08';
const FULL = new Set(['ENOSPC', '53100', '53200']);
/** The PostgreSQL driver has no codes for these. */
const PASSING_TEXT =
  /connection (?:terminated|ended|timeout|is silent)|timeout exceeded when trying|not queryable|client has encountered a connection error|query read timeout/i;

function codeOf(error: Error): string {
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : '';
}

/** Of a server at a Unix socket, which is a file; any other file that is missing is a fault of the service. */
function isSocketMissing(error: Error): boolean {
  return codeOf(error) === 'ENOENT' && Reflect.get(error, 'syscall') === 'connect';
}

function isPassing(error: Error): boolean {
  const code = codeOf(error);
  if (PASSING.has(code) || isSocketMissing(error)) return true;
  return (code.length === 5 && code.startsWith(CONNECTION_CLASS)) || PASSING_TEXT.test(error.message);
}

/** What an unexpected error means when a dependency caused it; `undefined` when it is a fault of the service itself. */
export function dependencyFailure(error: unknown): 'storage_full' | 'unavailable' | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (FULL.has(codeOf(cause))) return 'storage_full';
    if (isPassing(cause)) return 'unavailable';
  }
  return undefined;
}
