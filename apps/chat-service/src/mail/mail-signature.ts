import { createHmac } from 'node:crypto';
import { secretsEqual } from '@chat-realtime/service-kit';

/** Older than this it may be somebody's who listened. */
const MAX_AGE_SECONDS = 300;

/** `t=<unix>,v1=<hex>` over `<t>.<raw body>`, as our own webhooks are signed. */
export function isSignedMail(secret: string, header: string, body: Uint8Array, nowSeconds: number): boolean {
  const [, at, digest] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header.trim()) ?? [];
  if (at === undefined || digest === undefined || Math.abs(nowSeconds - Number(at)) > MAX_AGE_SECONDS) return false;
  const expected = createHmac('sha256', secret).update(`${at}.`).update(body).digest('hex');
  return secretsEqual(digest, expected);
}
