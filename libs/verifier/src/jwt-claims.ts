import { TOKEN_MAX_CLOCK_SKEW_SECONDS } from '@chat-realtime/protocol/tokens';
import { errors, type JWTPayload } from 'jose';
import { type Refusal, refuse } from './principal.ts';

/** Longer texts are refused before any cryptography. */
export const JWT_MAX_LENGTH = 8_192;
/** Three parts of canonical base64url: nothing else reaches the parser. */
export const JWT_PATTERN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
export const SUBJECT_MAX_LENGTH = 200;

export interface TimedClaims {
  readonly subject: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Lifetime, clock and subject, which no library checks for us; `undefined` when one of them is not as it must be. */
export function timedClaims(payload: JWTPayload, now: number, maxLifetime: number): TimedClaims | undefined {
  const { sub, iat, exp } = payload;
  if (typeof sub !== 'string' || sub.length === 0 || sub.length > SUBJECT_MAX_LENGTH) return undefined;
  if (!isUnixTime(iat) || !isUnixTime(exp)) return undefined;
  if (iat > now + TOKEN_MAX_CLOCK_SKEW_SECONDS) return undefined;
  if (exp <= iat || exp - iat > maxLifetime) return undefined;
  return { subject: sub, issuedAt: Math.floor(iat), expiresAt: Math.floor(exp) };
}

function isUnixTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= 1e12;
}

/** Turns an error of the JWT library into a refusal; anything else is a fault of ours and is thrown again. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) return refuse('token_expired');
  if (error instanceof errors.JOSEError) return refuse('bad_token');
  // The library lets a key of an unsuitable type surface as TypeError: the token chose the key by its `kid`.
  if (error instanceof TypeError) return refuse('bad_token');
  throw error;
}
