import http from 'node:http';
import type { z } from 'zod';

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; excludes `json`. */
  readonly raw?: Buffer | string;
  readonly token?: string | undefined;
  readonly timeoutMs?: number;
  /** Cuts the request off, as a lost network does. */
  readonly signal?: AbortSignal | undefined;
}

export class HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly line: string;

  constructor(line: string, status: number, headers: http.IncomingHttpHeaders, body: Buffer) {
    this.line = line;
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  get text(): string {
    return this.body.toString('utf8');
  }

  json(): unknown {
    try {
      return JSON.parse(this.text);
    } catch (cause) {
      throw new Error(`${this.line} answered ${this.status} without JSON: ${this.text.slice(0, 300)}`, { cause });
    }
  }

  /** The answer in the shape of the contract; a failure shows what came instead. */
  as<S extends z.ZodType>(schema: S, ...statuses: number[]): z.infer<S> {
    const expected = statuses.length === 0 ? [200] : statuses;
    if (!expected.includes(this.status)) {
      throw new Error(`${this.line} answered ${this.status}, not ${expected.join(' or ')}: ${this.text.slice(0, 600)}`);
    }
    const parsed = schema.safeParse(this.json());
    if (!parsed.success) {
      throw new Error(
        `${this.line}: the answer breaks the contract: ${parsed.error.message}\n${this.text.slice(0, 600)}`,
      );
    }
    return parsed.data;
  }

  header(name: string): string | undefined {
    const value = this.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}

type AnswerListener = (method: string, path: string, answer: HttpAnswer) => void;
const listeners = new Set<AnswerListener>();

/** Receives every answer that any client here gets, so that a suite can check them all against the documents. */
export function observeAnswers(listener: AnswerListener): void {
  listeners.add(listener);
}

/**
 * HTTP without a client's conveniences: the path goes out byte for byte (`//`, `%2e`, trailing slash),
 * nothing is retried or followed, and the source address can be chosen (all of 127/8 is loopback).
 */
export class HttpClient {
  readonly baseUrl: string;
  readonly localAddress: string | undefined;
  readonly #agent: http.Agent;
  readonly #host: string;
  readonly #port: number;

  constructor(baseUrl: string, options: { localAddress?: string | undefined } = {}) {
    const url = new URL(baseUrl);
    if (url.protocol !== 'http:') throw new Error(`only http: is supported here, not ${url.protocol}`);
    this.baseUrl = baseUrl.replace(/\/$/, '');
    this.localAddress = options.localAddress;
    this.#host = url.hostname;
    this.#port = Number(url.port === '' ? 80 : url.port);
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: 64, keepAliveMsecs: 500, timeout: 30_000 });
  }

  request(method: string, path: string, options: RequestOptions = {}): Promise<HttpAnswer> {
    const headers: Record<string, string | string[]> = { ...options.headers };
    let payload: Buffer | undefined;
    if (options.raw !== undefined)
      payload = Buffer.isBuffer(options.raw) ? options.raw : Buffer.from(options.raw, 'utf8');
    else if (options.json !== undefined) {
      payload = Buffer.from(JSON.stringify(options.json), 'utf8');
      headers['Content-Type'] ??= 'application/json';
    }
    if (options.token !== undefined) headers['Authorization'] ??= `Bearer ${options.token}`;
    if (payload !== undefined) headers['Content-Length'] = String(payload.length);
    return this.#send(method, path, headers, payload, options);
  }

  #send(
    method: string,
    path: string,
    headers: Record<string, string | string[]>,
    payload: Buffer | undefined,
    options: RequestOptions,
  ): Promise<HttpAnswer> {
    const line = `${method} ${path}`;
    const timeoutMs = options.timeoutMs ?? 35_000;
    return new Promise((resolve, reject) => {
      const request = http.request(
        {
          host: this.#host,
          port: this.#port,
          agent: this.#agent,
          method,
          path,
          headers,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
          ...(this.localAddress === undefined ? {} : { localAddress: this.localAddress }),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            clearTimeout(timer);
            const answer = new HttpAnswer(line, response.statusCode ?? 0, response.headers, Buffer.concat(chunks));
            for (const listener of listeners) listener(method, path, answer);
            resolve(answer);
          });
        },
      );
      const timer = setTimeout(
        () => request.destroy(new Error(`${line}: no answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      // A server may refuse an upload before it is complete: the answer counts, not the broken pipe behind it.
      request.on('error', (error) => {
        clearTimeout(timer);
        reject(new Error(`${line}: ${error.message}`, { cause: error }));
      });
      if (payload !== undefined) request.write(payload);
      request.end();
    });
  }

  get(path: string, options: RequestOptions = {}): Promise<HttpAnswer> {
    return this.request('GET', path, options);
  }

  post(path: string, options: RequestOptions = {}): Promise<HttpAnswer> {
    return this.request('POST', path, options);
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** `?a=1&b=2` from the defined values. */
export function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}
