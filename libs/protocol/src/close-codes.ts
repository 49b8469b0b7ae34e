/** What a client does after a close: the number range says it, so that an old client understands a new code. */
export type ReconnectPolicy = 'now' | 'backoff' | 'refresh_token' | 'never' | 'poll_only';

interface CloseCodeEntry {
  readonly code: number;
  readonly reconnect: ReconnectPolicy;
  readonly meaning: string;
}

/** 4000–4499: reconnect with back-off. 4500–4999: do not. */
export const CLOSE_CODES = {
  normal: { code: 1000, reconnect: 'never', meaning: 'closed on purpose by the client' },
  going_away: { code: 1001, reconnect: 'backoff', meaning: 'the peer is going away' },
  protocol_error: { code: 1002, reconnect: 'never', meaning: 'WebSocket protocol violated' },
  unsupported_data: { code: 1003, reconnect: 'never', meaning: 'binary frame' },
  invalid_payload: { code: 1007, reconnect: 'never', meaning: 'text that is not UTF-8' },
  policy_violation: { code: 1008, reconnect: 'never', meaning: 'too many fragments or pings' },
  message_too_big: { code: 1009, reconnect: 'never', meaning: 'frame over 64 KiB' },
  internal_error: { code: 1011, reconnect: 'backoff', meaning: 'a fault of the server on this connection' },
  service_restart: { code: 1012, reconnect: 'now', meaning: 'this gateway is restarting' },
  try_again_later: { code: 1013, reconnect: 'backoff', meaning: 'no room now, or about to restart' },
  token_expired: { code: 4401, reconnect: 'refresh_token', meaning: 'get a new token, then reconnect' },
  timeout: { code: 4408, reconnect: 'backoff', meaning: 'no pong, or no auth frame in time' },
  slow_consumer: { code: 4413, reconnect: 'backoff', meaning: 'the client reads too slowly; resume later' },
  rate_limited: { code: 4429, reconnect: 'backoff', meaning: 'too many frames or connection attempts' },
  bad_frame: { code: 4500, reconnect: 'never', meaning: 'third bad frame' },
  bad_token: { code: 4501, reconnect: 'never', meaning: 'token missing, forged, foreign or from the future' },
  forbidden: { code: 4503, reconnect: 'never', meaning: 'a valid token without the right' },
  session_not_found: { code: 4504, reconnect: 'never', meaning: 'no such session' },
  revoked: { code: 4505, reconnect: 'never', meaning: 'access was revoked' },
  connection_limit: {
    code: 4529,
    reconnect: 'poll_only',
    meaning: 'too many connections: poll REST, retry once a minute',
  },
  channel_off: {
    code: 4530,
    reconnect: 'poll_only',
    meaning: 'the channel is switched off, for all or for this session: poll REST, try again after a minute',
  },
} as const satisfies Record<string, CloseCodeEntry>;

export type CloseReason = keyof typeof CLOSE_CODES;

const REASON_BY_CODE = new Map<number, CloseReason>();
for (const [reason, { code }] of Object.entries(CLOSE_CODES)) REASON_BY_CODE.set(code, reason as CloseReason);

/** The name of a code of this table. */
export function closeReason(code: number): CloseReason | undefined {
  return REASON_BY_CODE.get(code);
}

const POLICY_BY_CODE = new Map<number, ReconnectPolicy>(
  Object.values(CLOSE_CODES).map((entry) => [entry.code, entry.reconnect]),
);

/** What to do after a close with `code`, also one this version does not know. */
export function reconnectPolicy(code: number): ReconnectPolicy {
  const known = POLICY_BY_CODE.get(code);
  if (known !== undefined) return known;
  // 1005: the other side, perhaps a proxy, sent a close frame without a code. 1006: it sent none.
  if (code === 1005 || code === 1006) return 'backoff';
  if (code >= 4000 && code <= 4499) return 'backoff';
  return 'never';
}
