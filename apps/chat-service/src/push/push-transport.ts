import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import webPush from 'web-push';
import { publicLookup } from '../outbound/public-address.ts';
import type { PushKeys } from './push-keys.ts';

const TIMEOUT_MS = 10_000;
const BODY_MAX = 65_536;

export interface PushTarget {
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
}

export type PushAnswer =
  | { readonly kind: 'delivered' }
  /** The push service does not know the device any more. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'final'; readonly reason: string }
  | { readonly kind: 'passing'; readonly reason: string; readonly afterSeconds: number | null }
  /** It was sent and nothing came back: the device may have it. */
  | { readonly kind: 'ambiguous'; readonly reason: string };

export interface PushMessage {
  /** JSON for the service worker; encrypted for the device. */
  readonly payload: string;
  /** A later one with the same topic takes its place while the device is away. */
  readonly topic: string;
  readonly ttlSeconds: number;
}

/** RFC 8030, 8291 and 8292: web-push prepares the request, and our own connection sends it and checks its target. */
export class PushTransport {
  readonly #privateHosts: ReadonlySet<string>;
  readonly #subject: string;

  /** `subject`: how the push service reaches us, `mailto:` or `https:`. */
  constructor(privateHosts: readonly string[], subject: string) {
    this.#privateHosts = new Set(privateHosts);
    this.#subject = subject;
  }

  async send(keys: PushKeys, target: PushTarget, message: PushMessage): Promise<PushAnswer> {
    const { endpoint, p256dh, auth } = target;
    let details: ReturnType<typeof webPush.generateRequestDetails>;
    try {
      details = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, message.payload, {
        vapidDetails: { subject: this.#subject, publicKey: keys.publicKey, privateKey: keys.privateKey },
        TTL: message.ttlSeconds,
        urgency: 'high',
        topic: message.topic,
        contentEncoding: 'aes128gcm',
      });
    } catch (error) {
      // Keys that are no point of the curve: nothing can ever be encrypted for this device.
      return { kind: 'final', reason: error instanceof Error ? error.message : 'keys' };
    }
    return this.#post(new URL(endpoint), details.headers, details.body);
  }

  #post(url: URL, headers: Record<string, unknown>, body: Buffer | null): Promise<PushAnswer> {
    const isPrivate = this.#privateHosts.has(url.host);
    const options: RequestOptions = {
      method: 'POST',
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      timeout: TIMEOUT_MS,
      ...(isPrivate ? {} : { lookup: publicLookup }),
    };
    return new Promise((resolve) => {
      const begin = url.protocol === 'http:' ? httpRequest : httpsRequest;
      let wasSent = false;
      const request = begin(url, options, (response) => {
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > BODY_MAX) response.destroy();
        });
        response.on('error', () => undefined);
        resolve(answerOf(response.statusCode ?? 0, response.headers['retry-after']));
      });
      request.on('finish', () => {
        wasSent = true;
      });
      request.on('timeout', () => request.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
      request.on('error', (error: NodeJS.ErrnoException) => {
        const reason = error.code ?? 'error';
        const isBefore =
          !wasSent || error.syscall === 'connect' || error.syscall === 'getaddrinfo' || reason === 'EPRIVATE';
        resolve(isBefore ? { kind: 'passing', reason, afterSeconds: null } : { kind: 'ambiguous', reason });
      });
      request.end(body ?? undefined);
    });
  }
}

function answerOf(status: number, retryAfter: string | undefined): PushAnswer {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 404 || status === 410) return { kind: 'gone' };
  const seconds = Number(retryAfter);
  const afterSeconds = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3_600) : null;
  if (status === 429 || status >= 500) return { kind: 'passing', reason: String(status), afterSeconds };
  return { kind: 'final', reason: String(status) };
}
