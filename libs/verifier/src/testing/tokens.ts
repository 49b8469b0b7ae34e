import { createHmac } from 'node:crypto';
import { KeyRing } from '@chat-realtime/protocol/tokens';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { TokenVerifier, type TokenVerifierConfig } from '../token-verifier.ts';

export const NOW = 1_800_000_000;
export const ring = KeyRing.parse('k2:fedcba9876543210fedcba9876543210,k1:0123456789abcdef0123456789abcdef');
export const staffNames = { issuer: 'chat-auth', audience: 'chat' };

export interface Claims {
  readonly [name: string]: unknown;
}
/** A staff token's claims with nothing wrong. */
export const good: Claims = {
  iss: 'chat-auth',
  aud: 'chat',
  sub: 'u7',
  iat: NOW - 10,
  exp: NOW + 890,
  role: 'operator',
  name: 'Анна',
  sid: 'login-1',
};

/** The signing key of the auth-service all tests have in common. */
export const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
export const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid: 'main', alg: 'ES256', use: 'sig' };

export function createVerifier(more: Partial<TokenVerifierConfig> = {}): TokenVerifier {
  return TokenVerifier.create({
    channelSecrets: ring,
    identitySecrets: ring,
    staff: { keys: { kind: 'local', keys: () => ({ keys: [publicJwk] }) }, ...staffNames },
    now: () => NOW,
    ...more,
  });
}

/** One part of a JWT, well-formed or not. */
export const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export function staffToken(claims: Claims = good, header: { alg?: string; kid?: string } = {}): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'main', ...header }).sign(privateKey);
}

/** Signs any payload under any header. */
export function hmacToken(header: object, payload: unknown, secret: string | Buffer): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

export async function staffCode(token: string | undefined, by: TokenVerifier): Promise<string> {
  const verdict = await by.verifyStaff(token);
  return verdict.ok ? 'ok' : verdict.code;
}
