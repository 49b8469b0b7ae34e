import type { Environment } from '../api/environment.ts';
import { ChatClientError, type ChatClientErrorCode } from '../errors.ts';

const TIMEOUT_MS = 15_000;

export interface CallOptions {
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | null | undefined>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: BodyInit;
  readonly signal?: AbortSignal | undefined;
  /** 0: none, for uploads and streams. */
  readonly timeoutMs?: number;
}

type Web = Pick<Environment, 'fetch' | 'setTimer' | 'clearTimer'>;

/** The page's own origin where nothing else is said; a WebSocket needs the whole address. */
export function resolveBase(baseUrl = ''): string {
  const base = baseUrl.replace(/\/+$/, '');
  return /^https?:/i.test(base) ? base : (globalThis.location?.origin ?? '') + base;
}

export function withQuery(url: string, query: CallOptions['query'] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length > 0 ? `${url}?${pairs.join('&')}` : url;
}

interface ErrorEnvelope {
  readonly error?: { readonly code?: ChatClientErrorCode; readonly message?: string; readonly details?: unknown };
}

const BY_STATUS: Readonly<Record<number, ChatClientErrorCode>> = {
  400: 'malformed_request',
  401: 'bad_token',
  403: 'forbidden',
  404: 'not_found',
  409: 'idempotency_conflict',
  413: 'payload_too_large',
  422: 'validation_failed',
  429: 'rate_limited',
  503: 'unavailable',
};

/** What an answer that is not 2xx means; also one of a proxy, which has no envelope. */
export async function errorOf(response: Response): Promise<ChatClientError> {
  const { status } = response;
  const body = (await response.json().catch(() => null)) as ErrorEnvelope | null;
  const seconds = Number(response.headers.get('retry-after'));
  const { code = BY_STATUS[status] ?? 'internal_error', message, details } = body?.error ?? {};
  return new ChatClientError(code, message, { status, details, ...(seconds > 0 && { retryAfterMs: seconds * 1_000 }) });
}

/** One request; rejects with ChatClientError for everything but 2xx. `read` is under the same time limit. */
export async function request<T>(
  web: Web,
  method: string,
  url: string,
  options: CallOptions,
  read: (response: Response) => T | Promise<T>,
): Promise<T> {
  const { token, json, signal, timeoutMs = TIMEOUT_MS } = options;
  const ending = new AbortController();
  let failure: ChatClientErrorCode = 'network';
  const abort = (why: ChatClientErrorCode): void => {
    failure = why;
    ending.abort();
  };
  const cancel = (): void => abort('aborted');
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel);
  const timer = timeoutMs > 0 ? web.setTimer(() => abort('timeout'), timeoutMs) : null;
  try {
    const response = await web.fetch(withQuery(url, options.query), {
      method,
      // Cookies are never credentials here.
      credentials: 'omit',
      headers: {
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...options.headers,
      },
      signal: ending.signal,
      body: json === undefined ? (options.body ?? null) : JSON.stringify(json),
    });
    if (!response.ok) throw await errorOf(response);
    return await read(response);
  } catch (cause) {
    if (cause instanceof ChatClientError) throw cause;
    throw new ChatClientError(cause instanceof SyntaxError ? 'invalid_response' : failure, undefined, { cause });
  } finally {
    web.clearTimer(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

export function call<T>(web: Web, method: string, url: string, options: CallOptions = {}): Promise<T> {
  return request(web, method, url, options, async (response) =>
    response.status === 204 ? (undefined as T) : ((await response.json()) as T),
  );
}
