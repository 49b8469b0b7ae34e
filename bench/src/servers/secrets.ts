import { createHmac } from 'node:crypto';
import { KeyRing, signChannelToken } from '@chat-realtime/protocol/tokens';

/** Of no worth: the servers of the benchmark listen on loopback for a minute. */
export const CHANNEL_SECRETS = 'k1:0123456789abcdef0123456789abcdef';
export const STAFF_SECRET = 'staff-secret-of-the-benchmark-0123456789';
export const ISSUER = 'bench-auth';
export const AUDIENCE = 'bench';

export function channelTokenSigner(secrets: string): (sessionId: number) => string {
  const ring = KeyRing.parse(secrets);
  const createdAt = Math.floor(Date.now() / 1_000);
  return (sessionId) => signChannelToken(ring, sessionId, createdAt);
}

export function staffToken(userId: string): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: userId,
    iat: now,
    exp: now + 3_600,
    role: 'operator',
    name: userId,
  };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', STAFF_SECRET).update(signed).digest('base64url')}`;
}
