import { createHmac, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { SECRETS } from './profiles.ts';

/** The token formats written anew from the contract, so that the suite does not trust the code under test. */

function secretOf(ring: string, kid: string): string {
  const entry = ring.split(',').find((candidate) => candidate.startsWith(`${kid}:`));
  if (entry === undefined) throw new Error(`no secret ${kid}`);
  return entry.slice(kid.length + 1);
}

export const unixNow = (): number => Math.floor(Date.now() / 1_000);

interface SignOptions {
  readonly kid?: string;
  readonly secret?: string;
}

function sign(purpose: string, sessionId: number, seconds: number, options: SignOptions): string {
  const kid = options.kid ?? 'k2';
  const secret = options.secret ?? secretOf(SECRETS.channel, kid);
  const signature = createHmac('sha256', secret).update(`${purpose}\n${sessionId}\n${seconds}`).digest('base64url');
  return `${kid}.${seconds}.${signature}`;
}

export function channelToken(sessionId: number, createdAt: number = unixNow(), options: SignOptions = {}): string {
  return sign('chat-channel', sessionId, createdAt, options);
}

export function streamSignature(sessionId: number, expiresAt: number, options: SignOptions = {}): string {
  return sign('chat-stream', sessionId, expiresAt, options);
}

/** A channel token that ends in so many seconds: the longest life is a day. */
export function channelTokenExpiringIn(sessionId: number, seconds: number): string {
  return channelToken(sessionId, unixNow() - 86_400 + seconds);
}

/** Same length and form, one character of the signature changed. */
export function flipped(token: string): string {
  const dot = token.lastIndexOf('.');
  const index = dot + 5;
  const replacement = token.charAt(index) === 'A' ? 'B' : 'A';
  return `${token.slice(0, index)}${replacement}${token.slice(index + 1)}`;
}

export interface IdentityClaims {
  readonly sub?: string;
  readonly name?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly sessions?: readonly number[];
  readonly aud?: string;
  readonly iat?: number;
  readonly exp?: number;
  readonly kid?: string;
  readonly secret?: string;
}

export function identityToken(claims: IdentityClaims = {}): Promise<string> {
  const kid = claims.kid ?? 'shop2';
  const { sub, name, email, phone, sessions } = claims;
  const iat = claims.iat ?? unixNow();
  const payload = Object.fromEntries(
    Object.entries({ name, email, phone, sessions }).filter((entry) => entry[1] !== undefined),
  );
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid })
    .setSubject(sub ?? `customer-${randomUUID()}`)
    .setAudience(claims.aud ?? 'chat')
    .setIssuedAt(iat)
    .setExpirationTime(claims.exp ?? iat + 300)
    .sign(Buffer.from(claims.secret ?? secretOf(SECRETS.identity, kid)));
}

export interface StaffClaims {
  readonly sub?: string;
  readonly name?: string;
  readonly role?: string;
  readonly scope?: string;
  readonly iss?: string;
  readonly aud?: string;
  readonly iat?: number;
  readonly exp?: number;
  readonly secret?: string;
  readonly omit?: readonly string[];
}

/** A staff token of a foreign auth-service (profiles with AUTH_JWT_SECRET). */
export function staffToken(claims: StaffClaims = {}): Promise<string> {
  const iat = claims.iat ?? unixNow();
  const all: Record<string, unknown> = {
    iss: claims.iss ?? SECRETS.issuer,
    aud: claims.aud ?? SECRETS.audience,
    sub: claims.sub ?? `staff-${randomUUID()}`,
    iat,
    exp: claims.exp ?? iat + 3_600,
    role: claims.role ?? 'operator',
    name: claims.name ?? 'Test Operator',
    ...(claims.scope === undefined ? {} : { scope: claims.scope }),
  };
  for (const name of claims.omit ?? []) delete all[name];
  return new SignJWT(all)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(Buffer.from(claims.secret ?? SECRETS.jwt));
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A JWT with any header and payload, signed with HMAC or left without a signature. */
export function rawJwt(header: unknown, payload: unknown, secret?: string): string {
  const head = `${base64url(header)}.${base64url(payload)}`;
  const signature = secret === undefined ? '' : createHmac('sha256', secret).update(head).digest('base64url');
  return `${head}.${signature}`;
}
