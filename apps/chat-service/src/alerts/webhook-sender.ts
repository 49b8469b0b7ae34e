import { createHmac } from 'node:crypto';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { publicLookup } from '../outbound/public-address.ts';
import { mayReach } from './alert-targets.ts';

const TIMEOUT_MS = 10_000;
const FIRST_RETRY_SECONDS = 2;
const LONGEST_RETRY_SECONDS = 1_800;
/** After a day the alert is of no use any more. */
export const WEBHOOK_GIVE_UP_SECONDS = 86_400;

const SIGNATURE_HEADER = 'X-Chat-Signature';

/** `t=<unix>,v1=<hex>`: the receiver recomputes it over `<t>.<raw body>` and refuses an old `t`. */
export function signWebhook(secret: string, unixSeconds: number, rawBody: string): string {
  const digest = createHmac('sha256', secret).update(`${unixSeconds}.${rawBody}`).digest('hex');
  return `t=${unixSeconds},v1=${digest}`;
}

export type SendResult =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly reason: string };

/** Waits 2, 4, 8 … seconds, at most half an hour, each with up to a fifth of it more so that receivers are not hit in step. */
export function retryDelaySeconds(attempts: number, random: () => number = Math.random): number {
  const base = Math.min(FIRST_RETRY_SECONDS * 2 ** Math.max(0, attempts - 1), LONGEST_RETRY_SECONDS);
  return base * (1 + random() / 5);
}

/**
 * One attempt. A redirect is a failure: following it would carry the alert to an address nobody configured.
 * `privateHosts`: the address must lead out of our own network, or to one of these.
 */
export async function sendWebhook(
  url: string,
  secret: string,
  rawBody: string,
  now: number = Date.now(),
  timeoutMs: number = TIMEOUT_MS,
  privateHosts?: ReadonlySet<string>,
): Promise<SendResult> {
  if (privateHosts !== undefined && !mayReach(url, privateHosts)) return { ok: false, reason: 'EPRIVATE' };
  const target = new URL(url);
  const options: RequestOptions = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(rawBody),
      [SIGNATURE_HEADER]: signWebhook(secret, Math.floor(now / 1_000), rawBody),
    },
    signal: AbortSignal.timeout(timeoutMs),
    ...(privateHosts === undefined || privateHosts.has(target.host) ? {} : { lookup: publicLookup }),
  };
  try {
    const status = await post(target, options, rawBody);
    return status >= 200 && status < 300 ? { ok: true, status } : { ok: false, reason: `HTTP ${status}` };
  } catch (error) {
    return { ok: false, reason: options.signal?.aborted === true ? 'TimeoutError' : failureName(error) };
  }
}

/** The status of the answer. Its body says nothing we use; left unread it would hold the connection. */
function post(target: URL, options: RequestOptions, body: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const begin = target.protocol === 'http:' ? httpRequest : httpsRequest;
  const request = begin(target, options, (response) => {
    response.on('error', () => undefined);
    resolve(response.statusCode ?? 0);
    response.destroy();
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

/** Names the fault without the address, which may hold a secret of the receiver. */
function failureName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
