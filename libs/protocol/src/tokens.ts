import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** Longest life of any token, in seconds. */
export const TOKEN_MAX_LIFETIME_SECONDS = 86_400;
/** A token from further in the future than this is refused. */
export const TOKEN_MAX_CLOCK_SKEW_SECONDS = 60;
export const STREAM_LINK_DEFAULT_SECONDS = 3_600;

const KID_PATTERN = /^[A-Za-z0-9_-]{1,16}$/;
const UNIX_SECONDS_PATTERN = /^(?:0|[1-9]\d{0,11})$/;
/** Unpadded base64url of 32 bytes is 43 characters; the last one carries two unused bits that must be 0. */
const SIGNATURE_PATTERN = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
export const SECRET_MIN_BYTES = 32;

export type TokenVerdict =
  | { ok: true; kid: string; createdAt: number; expiresAt: number }
  | { ok: false; reason: 'malformed' | 'unknown_key' | 'forged' | 'expired' | 'future' };

/** Secrets by key id, newest first: the first signs, all verify. */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #signingKid: string;

  private constructor(keys: ReadonlyMap<string, KeyObject>, signingKid: string) {
    this.#keys = keys;
    this.#signingKid = signingKid;
  }

  /**
   * Reads `k2:<secret>,k1:<secret>`; each entry is split at its first colon.
   * @throws Error naming the entry's position, never the secret.
   */
  static parse(text: string): KeyRing {
    const keys = new Map<string, KeyObject>();
    const entries = text.split(',').map((entry) => entry.trim());
    for (const [index, entry] of entries.entries()) {
      const colon = entry.indexOf(':');
      const kid = colon < 0 ? '' : entry.slice(0, colon);
      const secret = Buffer.from(colon < 0 ? '' : entry.slice(colon + 1), 'utf8');
      if (!KID_PATTERN.test(kid)) throw new Error(`secret ${index + 1}: key id must match ${KID_PATTERN.source}`);
      if (secret.length < SECRET_MIN_BYTES)
        throw new Error(`secret ${index + 1} (${kid}): needs at least ${SECRET_MIN_BYTES} bytes`);
      if (keys.has(kid)) throw new Error(`secret ${index + 1}: key id ${kid} stands twice`);
      // Imported once: that takes five times as long as the HMAC of a token.
      keys.set(kid, createSecretKey(secret));
    }
    const [first] = keys.keys();
    if (first === undefined) throw new Error('no secret given');
    return new KeyRing(keys, first);
  }

  get signingKid(): string {
    return this.#signingKid;
  }

  /** All key ids, newest first. */
  get kids(): readonly string[] {
    return [...this.#keys.keys()];
  }

  secret(kid: string): KeyObject | undefined {
    return this.#keys.get(kid);
  }
}

function hmac(secret: KeyObject, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url');
}

function equalText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function sign(ring: KeyRing, purpose: string, sessionId: number, seconds: number): string {
  const kid = ring.signingKid;
  const secret = ring.secret(kid);
  if (secret === undefined) throw new Error('the signing key is not in its own ring');
  return `${kid}.${seconds}.${hmac(secret, `${purpose}\n${sessionId}\n${seconds}`)}`;
}

type Parsed =
  | { ok: true; kid: string; seconds: number }
  | { ok: false; reason: 'malformed' | 'unknown_key' | 'forged' };

function parseAndCheck(ring: KeyRing, purpose: string, sessionId: number, token: string): Parsed {
  const [kid, secondsText, signature, ...rest] = token.split('.');
  if (kid === undefined || secondsText === undefined || signature === undefined || rest.length > 0) {
    return { ok: false, reason: 'malformed' };
  }
  if (!KID_PATTERN.test(kid) || !UNIX_SECONDS_PATTERN.test(secondsText) || !SIGNATURE_PATTERN.test(signature)) {
    return { ok: false, reason: 'malformed' };
  }
  const secret = ring.secret(kid);
  if (secret === undefined) return { ok: false, reason: 'unknown_key' };
  const expected = hmac(secret, `${purpose}\n${sessionId}\n${secondsText}`);
  if (!equalText(signature, expected)) return { ok: false, reason: 'forged' };
  return { ok: true, kid, seconds: Number(secondsText) };
}

/** Makes a customer's channel token. `createdAt` in unix seconds. */
export function signChannelToken(ring: KeyRing, sessionId: number, createdAt: number): string {
  return sign(ring, 'chat-channel', sessionId, createdAt);
}

/**
 * Checks a channel token against the session named beside it. Times in unix seconds; `lifetime` is capped at 24 h.
 * A token is expired from the second `createdAt + lifetime` on.
 */
export function verifyChannelToken(
  ring: KeyRing,
  sessionId: number,
  token: string,
  now: number,
  lifetime: number = TOKEN_MAX_LIFETIME_SECONDS,
): TokenVerdict {
  const parsed = parseAndCheck(ring, 'chat-channel', sessionId, token);
  if (!parsed.ok) return parsed;
  const createdAt = parsed.seconds;
  const expiresAt = createdAt + Math.min(lifetime, TOKEN_MAX_LIFETIME_SECONDS);
  if (createdAt > now + TOKEN_MAX_CLOCK_SKEW_SECONDS) return { ok: false, reason: 'future' };
  if (now >= expiresAt) return { ok: false, reason: 'expired' };
  return { ok: true, kid: parsed.kid, createdAt, expiresAt };
}

/** Signs a stream link that ends at `expiresAt` (unix seconds, at most 24 h ahead: checked by the verifier). */
export function signStreamLink(ring: KeyRing, sessionId: number, expiresAt: number): string {
  return sign(ring, 'chat-stream', sessionId, expiresAt);
}

/** Checks the `sig` of a stream link. `createdAt` of the verdict is the earliest moment at which it can have been made. */
export function verifyStreamLink(ring: KeyRing, sessionId: number, signature: string, now: number): TokenVerdict {
  const parsed = parseAndCheck(ring, 'chat-stream', sessionId, signature);
  if (!parsed.ok) return parsed;
  const expiresAt = parsed.seconds;
  if (expiresAt > now + TOKEN_MAX_LIFETIME_SECONDS + TOKEN_MAX_CLOCK_SKEW_SECONDS)
    return { ok: false, reason: 'future' };
  if (now >= expiresAt) return { ok: false, reason: 'expired' };
  return { ok: true, kid: parsed.kid, createdAt: expiresAt - TOKEN_MAX_LIFETIME_SECONDS, expiresAt };
}
