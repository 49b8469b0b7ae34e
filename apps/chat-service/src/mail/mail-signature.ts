import { createHmac } from 'node:crypto';
import { secretsEqual } from '@chat-realtime/service-kit';

/** Older than this it may be somebody's who listened. */
const MAX_AGE_SECONDS = 300;

/** `t=<unix>,v1=<hex>` over `<t>.<raw body>`, as our own webhooks are signed. */
export function isSignedMail(secret: string, header: string, body: Uint8Array, nowSeconds: number): boolean {
  const claim = claimOf(header, nowSeconds);
  if (claim === null) return false;
  const expected = createHmac('sha256', secret).update(`${claim.at}.`).update(body).digest('hex');
  return secretsEqual(claim.digest, expected);
}

/** Whether the header is a signature of about now, which is known before the body is. */
export function mayBeSignedMail(header: string, nowSeconds: number): boolean {
  return claimOf(header, nowSeconds) !== null;
}

function claimOf(header: string, nowSeconds: number): { at: string; digest: string } | null {
  const [, at, digest] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header.trim()) ?? [];
  if (at === undefined || digest === undefined || Math.abs(nowSeconds - Number(at)) > MAX_AGE_SECONDS) return null;
  return { at, digest };
}
