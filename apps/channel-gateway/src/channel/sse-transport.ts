import type { ServerResponse } from 'node:http';
import { ChatError, CLOSE_CODES, type CloseReason } from '@chat-realtime/protocol';
import { errorResponse } from '@chat-realtime/service-kit';
import type { FastifyReply } from 'fastify';
import type { SseTransportPort } from '../connections/transport.ts';
import { lastingRefusal } from './refusals.ts';

const RETRY_MIN_MS = 3_000;
const RETRY_SPREAD_MS = 3_000;
const COMMENT = Buffer.from(':\n\n');

/** A stream of server-sent events. Headers go out with the first bytes, so that a refusal can still be an HTTP status. */
export class SseTransport implements SseTransportPort {
  readonly kind = 'sse';
  readonly #reply: FastifyReply;
  readonly #response: ServerResponse;
  #opened = false;
  #enqueued = 0;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
    this.#response = reply.raw;
  }

  get queuedBytes(): number {
    return this.#response.writableLength;
  }

  get enqueuedBytes(): number {
    return this.#enqueued;
  }

  write(bytes: Buffer): number {
    if (!this.#opened) this.#open();
    this.#enqueued += bytes.length;
    this.#response.write(bytes);
    return this.queuedBytes;
  }

  ping(): void {
    this.write(COMMENT);
  }

  whenDrained(listener: () => void): void {
    this.#response.once('drain', listener);
  }

  close(reason: CloseReason): void {
    const refusal = this.#opened ? null : lastingRefusal(reason);
    if (refusal !== null) {
      this.#refuse(refusal);
      return;
    }
    const closed = { type: 'channel.closed', data: { code: CLOSE_CODES[reason].code, reason } };
    this.write(Buffer.from(`data: ${JSON.stringify(closed)}\n\n`));
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }

  #open(): void {
    this.#opened = true;
    this.#reply.hijack();
    this.#response.socket?.setNoDelay(true);
    this.#response.writeHead(200, {
      ...corsHeaders(this.#reply),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    // Jittered, so that browsers do not come back together after a restart.
    const retry = RETRY_MIN_MS + Math.floor(Math.random() * RETRY_SPREAD_MS);
    this.#response.write(`retry: ${retry}\n`);
  }

  #refuse(error: ChatError): void {
    const { status, headers, body } = errorResponse(error, this.#reply.request.id);
    void this.#reply.code(status).headers(headers).header('cache-control', 'no-store').send(body);
  }
}

/** Headers that hooks have set on the reply, such as the CORS headers of an allowed Origin. */
function corsHeaders(reply: FastifyReply): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(reply.getHeaders())) if (typeof value === 'string') headers[name] = value;
  return headers;
}
