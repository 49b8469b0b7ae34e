/** Every error code of REST and channel with its HTTP status. SPEC.md prints this table. */
export const ERROR_CODES = {
  malformed_request: { status: 400, meaning: 'not JSON, not UTF-8, or a malformed parameter' },
  missing_credentials: { status: 401, meaning: 'no token' },
  bad_token: { status: 401, meaning: 'token forged, foreign, from the future or of another kind' },
  token_expired: { status: 401, meaning: 'token expired' },
  token_revoked: { status: 401, meaning: 'token or its session revoked' },
  bad_credentials: { status: 401, meaning: 'login, password, resume key or site key is wrong' },
  second_factor_required: { status: 401, meaning: 'the password is right; the code of the second factor is missing' },
  forbidden: { status: 403, meaning: 'a valid staff token without the right' },
  challenge_required: {
    status: 403,
    meaning: 'many chats were started from this address: solve details.challenge, and repeat with challenge_solution',
  },
  banned: { status: 403, meaning: 'the operators accept nothing more from this visitor' },
  origin_not_allowed: { status: 403, meaning: 'foreign Origin; see ALLOWED_ORIGINS' },
  not_found: { status: 404, meaning: 'no such route or thing' },
  session_not_found: { status: 404, meaning: 'no such session' },
  customer_rest_off: { status: 404, meaning: "a site keeps the chat (CHAT_ROLE=ledger): customers' calls go to it" },
  quick_reply_not_found: { status: 404, meaning: 'no such quick reply' },
  ban_not_found: { status: 404, meaning: 'no such ban, or lifted already' },
  method_not_allowed: { status: 405, meaning: 'the route has no such method' },
  idempotency_conflict: { status: 409, meaning: 'known client_message_id with another body' },
  no_alert_targets: { status: 409, meaning: 'no address for alerts is set, or no secret to sign them' },
  attachments_off: { status: 409, meaning: 'this chat accepts no files' },
  mail_off: { status: 409, meaning: 'this chat sends no mail; see SMTP_URL' },
  site_owned: {
    status: 409,
    meaning: "a site keeps the chat (CHAT_ROLE=ledger): operators' changes go to it; see LEDGER_STAFF_WRITES",
  },
  session_closed: { status: 409, meaning: 'an operator cannot write to a closed session' },
  stale: {
    status: 409,
    meaning:
      'another operator acted since expected_seq, details has the missed events; or another administrator since expected_updated_at, details has the current values',
  },
  already_assigned: { status: 409, meaning: 'another operator has the session; details names them' },
  login_taken: { status: 409, meaning: 'another operator has this login' },
  shortcut_taken: { status: 409, meaning: 'another quick reply has this shortcut' },
  last_admin: { status: 409, meaning: 'the last administrator cannot be removed or demoted' },
  invalid_transition: { status: 409, meaning: 'this step is not possible from the current state' },
  cursor_ahead: { status: 409, meaning: 'cursor beyond the head, or of another database: take a snapshot' },
  cursor_unknown: { status: 409, meaning: 'cursor not of this database: take a snapshot' },
  payload_too_large: { status: 413, meaning: 'body over the limit' },
  unsupported_media_type: {
    status: 415,
    meaning: 'file type that the owner does not allow (see details.allowed), or content type not JSON',
  },
  validation_failed: { status: 422, meaning: 'well-formed but invalid; details lists field paths' },
  upgrade_required: { status: 426, meaning: 'no WebSocket upgrade, or a version other than 13' },
  rate_limited: { status: 429, meaning: 'too many requests; see Retry-After' },
  connection_limit: { status: 429, meaning: 'too many connections; see Retry-After' },
  internal_error: { status: 500, meaning: 'a fault of the server' },
  unavailable: { status: 503, meaning: 'a dependency is unavailable or the service is draining; see Retry-After' },
  channel_off: { status: 503, meaning: 'the channel is switched off here: poll REST; see Retry-After' },
  storage_full: { status: 507, meaning: 'no space left, or less than the floor of free space' },
} as const satisfies Record<string, { status: number; meaning: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorBody {
  error: { code: ErrorCode; message: string; request_id: string; details?: unknown };
}

interface ChatErrorOptions extends ErrorOptions {
  /** Machine-readable details next to the code. They must hold no secret and no personal data. */
  details?: unknown;
  /** Seconds, for the `Retry-After` header. */
  retryAfterSeconds?: number;
}

/** The one error class that crosses an edge: its code gives the HTTP status and the metric label. */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly code: ErrorCode;
  readonly details: unknown;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: ChatErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }
}
