import { createHmac } from 'node:crypto';

export const SIGNATURE_HEADER = 'X-Chat-Signature';

/** `t=<unix>,v1=<hex>`: the receiver recomputes it over `<t>.<raw body>` and refuses an old `t`. */
export function signWebhook(secret: string, unixSeconds: number, rawBody: string): string {
  const digest = createHmac('sha256', secret).update(`${unixSeconds}.${rawBody}`).digest('hex');
  return `t=${unixSeconds},v1=${digest}`;
}
