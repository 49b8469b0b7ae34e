import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyRing } from '@chat-realtime/protocol/tokens';

const LIFETIME_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;
const SIGNATURE = /^([A-Za-z0-9_-]{1,16})\.([1-9]\d{0,11})\.([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])$/;

export type LinkVerdict =
  | { readonly ok: true; readonly expiresAt: number }
  | { readonly ok: false; readonly reason: 'bad' | 'expired' };

/**
 * Signed addresses of files. A browser shows a picture without headers, so the right stands in the address itself,
 * for at most 24 hours and for this one file.
 */
export class AttachmentLinks {
  readonly #ring: KeyRing;
  readonly #now: () => number;

  constructor(ring: KeyRing, now: () => number = Date.now) {
    this.#ring = ring;
    this.#now = now;
  }

  /** The end is rounded to the hour, so that reading one event twice gives the same bytes. */
  url(attachmentId: string): string {
    const seconds = Math.floor(this.#now() / 1_000);
    const expiresAt = Math.floor(seconds / HOUR_SECONDS) * HOUR_SECONDS + LIFETIME_SECONDS;
    const kid = this.#ring.signingKid;
    const signature = this.#hmac(kid, attachmentId, expiresAt);
    if (signature === undefined) throw new Error('the signing key is not in its own ring');
    return `/chat/attachments/${attachmentId}?sig=${kid}.${expiresAt}.${signature}`;
  }

  verify(attachmentId: string, signature: string): LinkVerdict {
    const [, kid, expiresText, given] = SIGNATURE.exec(signature) ?? [];
    if (kid === undefined || expiresText === undefined || given === undefined) return { ok: false, reason: 'bad' };
    const expiresAt = Number(expiresText);
    const expected = this.#hmac(kid, attachmentId, expiresAt);
    if (expected === undefined || !timingSafeEqual(Buffer.from(given), Buffer.from(expected)))
      return { ok: false, reason: 'bad' };
    const seconds = Math.floor(this.#now() / 1_000);
    if (expiresAt > seconds + LIFETIME_SECONDS + HOUR_SECONDS) return { ok: false, reason: 'bad' };
    if (seconds >= expiresAt) return { ok: false, reason: 'expired' };
    return { ok: true, expiresAt };
  }

  #hmac(kid: string, attachmentId: string, expiresAt: number): string | undefined {
    const secret = this.#ring.secret(kid);
    if (secret === undefined) return undefined;
    return createHmac('sha256', secret).update(`chat-attachment\n${attachmentId}\n${expiresAt}`).digest('base64url');
  }
}
