import { SIGNATURE_HEADER, signWebhook } from './signature.ts';

const TIMEOUT_MS = 10_000;
const FIRST_RETRY_SECONDS = 2;
const LONGEST_RETRY_SECONDS = 1_800;
/** After a day nobody waits for the alert any more. */
export const WEBHOOK_GIVE_UP_SECONDS = 86_400;

export type SendResult =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly reason: string };

/** Waits 2, 4, 8 … seconds, at most half an hour, each with up to a fifth of it more so that receivers are not hit in step. */
export function retryDelaySeconds(attempts: number, random: () => number = Math.random): number {
  const base = Math.min(FIRST_RETRY_SECONDS * 2 ** Math.max(0, attempts - 1), LONGEST_RETRY_SECONDS);
  return base * (1 + random() / 5);
}

/** One attempt. A redirect is a failure: following it would carry the alert to an address nobody configured. */
export async function sendWebhook(
  url: string,
  secret: string,
  rawBody: string,
  now: number = Date.now(),
  timeoutMs: number = TIMEOUT_MS,
): Promise<SendResult> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [SIGNATURE_HEADER]: signWebhook(secret, Math.floor(now / 1_000), rawBody),
      },
      body: rawBody,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    // The body says nothing we use; left unread it would hold the connection.
    await response.body?.cancel();
    if (response.status >= 200 && response.status < 300) return { ok: true, status: response.status };
    return { ok: false, reason: `HTTP ${response.status}` };
  } catch (error) {
    return { ok: false, reason: failureName(error) };
  }
}

/** Names the fault without the address, which may hold a secret of the receiver. */
function failureName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const cause = error.cause;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error.name;
}
