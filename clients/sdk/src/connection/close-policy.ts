import type { StopReason } from '../api/connection.ts';

/**
 * The meaning of a close code (SPEC.md, close codes). It follows from the ranges, so that a client understands codes
 * newer than itself; a test compares it with the protocol's own table.
 */
export type ClosePolicy = 'now' | 'backoff' | 'refresh_token' | 'never' | 'poll_only';

export function closePolicy(code: number): ClosePolicy {
  if (code === 1012) return 'now';
  if (code === 4401) return 'refresh_token';
  // No slot, or the channel is switched off.
  if (code === 4529 || code === 4530) return 'poll_only';
  return [1001, 1005, 1006, 1011, 1013].includes(code) || (code >= 4000 && code < 4500) ? 'backoff' : 'never';
}

const STOP_REASONS: Readonly<Record<number, StopReason>> = {
  1000: 'closed_by_server',
  4501: 'bad_token',
  4503: 'forbidden',
  4504: 'session_not_found',
  4505: 'revoked',
};

export function stopReason(code: number): StopReason {
  return STOP_REASONS[code] ?? 'protocol_error';
}
