/**
 * What a log may contain. Texts appear only under these names, and even there tokens, addresses and people's numbers
 * are masked. A new field is not written until it has been considered.
 */
const TEXT_FIELDS = new Set([
  'action',
  'address',
  'algorithm',
  'build',
  'cause',
  'channel',
  'check',
  'client_ip',
  'close_reason',
  'code',
  'component',
  'connection_id',
  'connections',
  'consumer',
  'cursor',
  'dependency',
  'epoch',
  'errors',
  'error',
  'error_code',
  'event',
  'exchange',
  'gateway_id',
  'hint',
  'hop',
  'host',
  'id',
  'job',
  'call',
  'key',
  'kid',
  'kind',
  'leader',
  'level',
  'message_id',
  'method',
  'migration',
  'migrations',
  'fsync',
  'full_page_writes',
  'synchronous_commit',
  'sweep',
  'receiver',
  'url',
  'folder',
  'mode',
  'origin',
  'path',
  'phase',
  'port',
  'queue',
  'reason',
  'request_id',
  'result',
  'role',
  'route',
  'routing_key',
  'scope',
  'server',
  'service',
  'session_id',
  'signal',
  'source',
  'span_id',
  'state',
  'status',
  'syscall',
  'to',
  'trace_id',
  'traceparent',
  'transport',
  'type',
  'user_id',
  'version',
  'line',
]);
/** Numbers are figures, except under these names. */
const PERSONAL_FIELD =
  /phone|e?mail|token|secret|password|passwd|authorization|cookie|signature|^sig$|body|text|^name$|_name$|^names$|^text$|login/i;
const HIDDEN = '[hidden]';
const MAX_TEXT = 2_000;
const MAX_DEPTH = 4;
const MAX_ENTRIES = 50;

/** Each begins where a run begins, or is bounded: none examines a run again from each of its characters. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  // user:password@ of a URL, then anything after its question mark.
  [/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]*@/gi, '$1***@'],
  [/\?[^\s"'`=?]*=[^\s"'`]*/g, '?***'],
  [/eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}/g, '***'],
  [/\b(Bearer|Basic)\s+\S+/gi, '$1 ***'],
  [/\bbearer\.\S+/gi, 'bearer.***'],
  [/[A-Za-z0-9_-]{1,16}\.\d{9,12}\.[A-Za-z0-9_-]+/g, '***'],
  // A run this long is a key, a token or a signature; UUIDs and trace ids are kept.
  [
    /(?<![A-Za-z0-9_+/=-])(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![A-Za-z0-9_-]))(?![0-9a-f]{32}(?![A-Za-z0-9_-]))(?!00-[0-9a-f]{32}-)(?=[A-Za-z0-9_+/=-]*\d)(?=[A-Za-z0-9_+/=-]*[A-Za-z])[A-Za-z0-9_+=-]{32,}/g,
    '***',
  ],
  [/(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu, '***@***'],
  [/\+\d[\d\s().-]{8,}\d/g, '+***'],
];

/** Masks what looks like a secret or a person's data in free text. */
export function maskText(text: string): string {
  let masked = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  for (const [pattern, replacement] of MASKS) masked = masked.replace(pattern, replacement);
  return masked;
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const described: Record<string, unknown> = { type: error.name, message: maskText(error.message) };
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string' || typeof code === 'number') described['code'] = code;
  if (error.stack !== undefined) {
    // The first lines of a stack repeat the message; only the frames are of use.
    const frames = error.stack.split('\n').filter((line) => /^\s+at /.test(line));
    described['stack'] = maskText(frames.slice(0, 12).join('\n'));
  }
  if (error.cause instanceof Error && depth < MAX_DEPTH) described['cause'] = describeError(error.cause, depth + 1);
  return described;
}

function redactValue(name: string, value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (value === undefined) return undefined;
  if (typeof value === 'number') return PERSONAL_FIELD.test(name) ? HIDDEN : value;
  if (typeof value === 'bigint') return PERSONAL_FIELD.test(name) ? HIDDEN : value.toString();
  if (value instanceof Error) return describeError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string') return TEXT_FIELDS.has(name) ? maskText(value) : HIDDEN;
  if (typeof value !== 'object' || depth >= MAX_DEPTH || PERSONAL_FIELD.test(name)) return HIDDEN;
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ENTRIES).map((entry) => redactValue(name, entry, depth + 1));
  }
  return redactFields(value, depth + 1);
}

/** The fields of a log line as they may be written. */
export function redactFields(fields: object, depth = 0): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields).slice(0, MAX_ENTRIES)) {
    safe[maskText(name.slice(0, 64))] = redactValue(name, value, depth);
  }
  return safe;
}
