import { type KeyObject, X509Certificate } from 'node:crypto';
import { ChatError } from '@chat-realtime/protocol';
import { badCredentials } from './refusals.ts';

const KEPT = 4;
const KEPT_MS = 3_600_000;
/** For this long a key is trusted while nothing can be queried. */
const STALE_MS = 86_400_000;
/** Whoever signs nothing may still name certificates: each new name is one request to Amazon. */
const FETCHES_PER_MINUTE = 10;
const MINUTE_MS = 60_000;
const SUBJECT = /^CN=sns(?:[.-][a-z0-9.-]+)?\.amazonaws\.com$/m;

export interface SnsCertificatesParts {
  /** `sns.<region>.amazonaws.com` of the topic. */
  readonly host: string;
  /** The text behind an address of that host. */
  readonly fetchText: (url: string) => Promise<string>;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Unix milliseconds: whether a certificate holds. */
  readonly wallNow: () => number;
}

/** The keys that Amazon SNS signs with, fetched from its host in the topic's region and from nowhere else. */
export class SnsCertificates {
  readonly #parts: SnsCertificatesParts;
  /** Valid ones. A wrong name never displaces them. */
  readonly #known = new Map<string, { readonly key: KeyObject; readonly at: number }>();
  readonly #asked = new Map<string, Promise<KeyObject>>();
  #fetches = 0;
  #minuteAt = Number.NEGATIVE_INFINITY;

  constructor(parts: SnsCertificatesParts) {
    this.#parts = parts;
  }

  /** @throws ChatError `bad_credentials` for an address of anywhere else; `unavailable` while it cannot be fetched */
  async keyAt(address: string): Promise<KeyObject> {
    const url = this.#checked(address);
    const now = this.#parts.now();
    const kept = this.#known.get(url);
    const known = kept !== undefined && now - kept.at < STALE_MS ? kept : undefined;
    if (known !== undefined && now - known.at < KEPT_MS) return known.key;
    const asked = this.#asked.get(url);
    if (asked !== undefined) return asked;
    if (now - this.#minuteAt >= MINUTE_MS) [this.#minuteAt, this.#fetches] = [now, 0];
    this.#fetches += 1;
    if (this.#fetches > FETCHES_PER_MINUTE) {
      if (known !== undefined) return known.key;
      throw unavailable('too many certificates were asked for');
    }
    const asking = this.#fetch(url);
    this.#asked.set(url, asking);
    try {
      const key = await asking;
      this.#keep(url, { key, at: now });
      return key;
    } catch (error) {
      // Amazon may be out of reach, or others have used up the minute: what was right an hour ago still is.
      if (known !== undefined && error instanceof ChatError && error.code === 'unavailable') return known.key;
      throw error;
    } finally {
      this.#asked.delete(url);
    }
  }

  #keep(url: string, entry: { readonly key: KeyObject; readonly at: number }): void {
    this.#known.delete(url);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= KEPT && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(url, entry);
  }

  #checked(address: string): string {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    const isAmazons =
      url !== undefined &&
      url.protocol === 'https:' &&
      url.host === this.#parts.host &&
      url.username === '' &&
      url.password === '' &&
      url.search === '' &&
      /^\/SimpleNotificationService-[A-Za-z0-9]{1,100}\.pem$/.test(url.pathname);
    if (!isAmazons) throw badCredentials('the certificate is not where Amazon SNS has it');
    return `https://${url.host}${url.pathname}`;
  }

  async #fetch(url: string): Promise<KeyObject> {
    const pem = await this.#parts.fetchText(url).catch((error: unknown) => {
      throw unavailable('the certificate cannot be fetched', error);
    });
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(pem);
    } catch (error) {
      throw unavailable('what was fetched is no certificate', error);
    }
    const now = this.#parts.wallNow();
    const isOfNow = now >= certificate.validFromDate.getTime() && now <= certificate.validToDate.getTime();
    if (!isOfNow || !SUBJECT.test(certificate.subject)) throw badCredentials('the certificate is not of Amazon SNS');
    return certificate.publicKey;
  }
}

function unavailable(message: string, cause?: unknown): ChatError {
  return new ChatError('unavailable', message, { retryAfterSeconds: 30, ...(cause === undefined ? {} : { cause }) });
}
