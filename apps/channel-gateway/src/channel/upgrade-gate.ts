import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { BEARER_SUBPROTOCOL_PREFIX, ChatError } from '@chat-realtime/protocol';
import {
  bearerToken,
  clientIp,
  errorResponse,
  type OriginPolicy,
  type RateLimiter,
  rateLimitKey,
  type TrustedProxies,
} from '@chat-realtime/service-kit';
import type { HandshakeResult } from '../core-metrics.ts';
import type { CoreLogger } from '../ports.ts';
import { readCredentials, type ReadCredentials } from './parameters.ts';

export const CHANNEL_PATH = '/channel/ws';
const KEY_PATTERN = /^[+/0-9A-Za-z]{22}==$/;
const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
};

export interface UpgradeGateOptions {
  readonly origins: OriginPolicy;
  readonly connectRate: RateLimiter;
  readonly trustedProxies: TrustedProxies;
  readonly logger: CoreLogger;
  readonly handshake: (result: HandshakeResult) => void;
  readonly rateLimited: () => void;
}

export interface AdmittedUpgrade {
  readonly socket: Socket;
  /** `missing` never gets here. */
  readonly credentials: Exclude<ReadCredentials, { kind: 'missing' }>;
}

/**
 * Checks before the upgrade: only those that tell an attacker nothing, or that a browser could not act on anyway. The
 * verdict on the token follows as a close code, since browsers hide the status of a failed upgrade.
 */
export class UpgradeGate {
  readonly #options: UpgradeGateOptions;

  constructor(options: UpgradeGateOptions) {
    this.#options = options;
  }

  /** Null when the request was answered here. */
  async admit(request: IncomingMessage, stream: Duplex): Promise<AdmittedUpgrade | null> {
    // A peer that resets in the meantime must not end the process.
    stream.on('error', ignoreSocketError);
    try {
      const credentials = await this.#check(request);
      if (!(stream instanceof Socket)) throw new ChatError('malformed_request', 'an upgrade needs a socket');
      return { socket: stream, credentials };
    } catch (error) {
      answer(stream, error);
      return null;
    } finally {
      stream.removeListener('error', ignoreSocketError);
    }
  }

  async #check(request: IncomingMessage): Promise<AdmittedUpgrade['credentials']> {
    const url = new URL(request.url ?? '/', 'http://gateway.invalid');
    if (url.pathname !== CHANNEL_PATH) throw this.#refusal('not_found', new ChatError('not_found', 'no such channel'));
    this.#checkHandshake(request);
    const { origin, host } = request.headers;
    const verdict = this.#options.origins.check(origin, host);
    if (!verdict.allowed) {
      this.#options.logger.warn({ origin, hint: verdict.hint, reason: verdict.message }, 'foreign Origin refused');
      throw this.#refusal('origin', new ChatError('origin_not_allowed', verdict.message));
    }
    const rate = await this.#options.connectRate.consume(rateLimitKey(clientIp(request, this.#options.trustedProxies)));
    if (!rate.ok) {
      this.#options.rateLimited();
      throw this.#refusal(
        'rate',
        new ChatError('rate_limited', 'too many connection attempts', { retryAfterSeconds: rate.retryAfterSeconds }),
      );
    }
    const credentials = readCredentials(url.searchParams, {
      token: subprotocolToken(request) ?? bearerToken(request.headers),
    });
    if (credentials.kind === 'missing') throw this.#refusal('token', new ChatError('missing_credentials', 'no token'));
    return credentials;
  }

  /** RFC 6455 §4.2.1. */
  #checkHandshake(request: IncomingMessage): void {
    const { headers } = request;
    const wrong = (error: ChatError): ChatError => this.#refusal('bad_request', error);
    if (request.httpVersionMajor !== 1 || request.httpVersionMinor < 1) {
      const hint = 'a WebSocket needs HTTP/1.1; behind nginx set proxy_http_version 1.1';
      throw wrong(new ChatError('malformed_request', hint));
    }
    if (countOf(request, 'host') !== 1) throw wrong(new ChatError('malformed_request', 'exactly one Host is needed'));
    if (request.method !== 'GET') throw wrong(new ChatError('method_not_allowed', 'an upgrade is a GET'));
    if (headers.upgrade?.toLowerCase() !== 'websocket')
      throw wrong(new ChatError('malformed_request', 'Upgrade must be websocket'));
    if (headers['sec-websocket-version'] !== '13')
      throw wrong(new ChatError('upgrade_required', 'WebSocket version 13 is needed'));
    if (!KEY_PATTERN.test(headers['sec-websocket-key'] ?? ''))
      throw wrong(new ChatError('malformed_request', 'Sec-WebSocket-Key is not 16 bytes'));
  }

  #refusal(result: HandshakeResult, error: ChatError): ChatError {
    this.#options.handshake(result);
    return error;
  }
}

/** The parser keeps the first of two equal headers and does not report the other. */
function countOf(request: IncomingMessage, name: string): number {
  return request.rawHeaders.filter((header, index) => index % 2 === 0 && header.toLowerCase() === name).length;
}

function ignoreSocketError(): void {
  // The 'close' that follows is handled; without a listener the error would end the process.
}

/** The token of `Sec-WebSocket-Protocol: chat.v1, bearer.<token>`; several of them count as none. */
function subprotocolToken(request: IncomingMessage): string | undefined {
  const header = request.headers['sec-websocket-protocol'];
  if (header === undefined) return undefined;
  const tokens = header
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry.startsWith(BEARER_SUBPROTOCOL_PREFIX));
  const [first] = tokens;
  const token = tokens.length === 1 ? first?.slice(BEARER_SUBPROTOCOL_PREFIX.length) : undefined;
  return token === '' ? undefined : token;
}

/** The contract's error envelope on a socket that has no response object. */
export function answer(stream: Duplex, error: unknown): void {
  const { status, headers, body } = errorResponse(
    error instanceof TypeError ? new ChatError('malformed_request', 'unreadable address') : error,
    randomUUID(),
  );
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_TEXT[status] ?? 'Error'}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    'Cache-Control: no-store',
  ];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (status === 426) lines.push('Sec-WebSocket-Version: 13');
  lines.push(`Content-Length: ${Buffer.byteLength(text)}`, '', text);
  stream.once('finish', () => stream.destroy());
  stream.on('error', ignoreSocketError);
  stream.end(lines.join('\r\n'));
}
