import { ChatError, type CloseReason, ERROR_CODES, type ErrorCode } from '@chat-realtime/protocol';
import { errorResponse } from '@chat-realtime/service-kit';
import type { FastifyReply } from 'fastify';
import type { PollAnswer, PollTransportPort } from '../connections/transport.ts';
import { httpRefusal } from './refusals.ts';

/** One long poll: collects events until it is answered. */
export class PollTransport implements PollTransportPort {
  readonly kind = 'poll';
  readonly waitMs: number;
  readonly #reply: FastifyReply;
  #events: Buffer[] = [];
  #bytes = 0;
  #answered = false;

  constructor(reply: FastifyReply, waitMs: number) {
    this.#reply = reply;
    this.waitMs = waitMs;
  }

  get queuedBytes(): number {
    return this.#bytes;
  }

  get enqueuedBytes(): number {
    return this.#bytes;
  }

  write(bytes: Buffer): number {
    this.#events.push(bytes);
    this.#bytes += bytes.length;
    return this.#bytes;
  }

  whenDrained(listener: () => void): void {
    // A poll is answered with the events it has; nothing more is collected after that.
    queueMicrotask(listener);
  }

  finish({ lastSeq, hasMore, cursor }: PollAnswer): void {
    if (this.#answered) return;
    this.#answered = true;
    const events = Buffer.concat(this.#events);
    this.#events = [];
    const rest = JSON.stringify({ last_seq: lastSeq, has_more: hasMore, ...(cursor === undefined ? {} : { cursor }) });
    // Each event was encoded with a comma behind it.
    const body = Buffer.concat([
      Buffer.from('{"events":['),
      events.subarray(0, Math.max(0, events.length - 1)),
      Buffer.from(`],${rest.slice(1)}`),
    ]);
    void this.#reply
      .code(200)
      .header('content-type', 'application/json; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(body);
  }

  refuse(code: ErrorCode): void {
    this.#error(new ChatError(code, ERROR_CODES[code].meaning));
  }

  close(reason: CloseReason): void {
    this.#error(httpRefusal(reason));
  }

  destroy(): void {
    this.#reply.raw.destroy();
  }

  #error(error: ChatError): void {
    if (this.#answered) return;
    this.#answered = true;
    const { status, headers, body } = errorResponse(error, this.#reply.request.id);
    void this.#reply.code(status).headers(headers).header('cache-control', 'no-store').send(body);
  }
}
