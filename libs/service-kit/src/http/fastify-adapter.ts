import { randomUUID } from 'node:crypto';
import { ChatError } from '@chat-realtime/protocol';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorFilter } from './error-filter.ts';
import { errorResponse } from './error-response.ts';
import { requestId } from './request-observation.ts';

const HEADERS_TIMEOUT_MS = 10_000;
/** Whole requests: an attachment over a slow phone takes its time, a JSON body has its own shorter deadline. */
const REQUEST_TIMEOUT_MS = 120_000;
const CONNECTIONS_CHECK_MS = 2_000;
const MAX_HEADER_BYTES = 16_384;
/** Longer than the idle time of the proxy before us, or it would reuse a connection that is just being closed. */
const KEEP_ALIVE_MS = 75_000;

type ClientError = Error & { readonly code?: string };
interface ClientSocket {
  readonly writable: boolean;
  end(text: string): unknown;
  destroy(): unknown;
}

/** What the HTTP parser refuses before there is a request. */
function answerClientError(error: ClientError, socket: ClientSocket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  // Too long, too slow or no HTTP at all: one answer, as the table of codes has it.
  const { status, body } = errorResponse(new ChatError('malformed_request', 'not a usable HTTP request'), randomUUID());
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

/**
 * Fastify with our limits and our errors from its first moment on. The framework would set its own error handlers only
 * when it starts, and routes mounted before that would keep Fastify's.
 */
export class ChatFastifyAdapter extends FastifyAdapter {
  constructor(errors: ErrorFilter) {
    super({
      http: {
        headersTimeout: HEADERS_TIMEOUT_MS,
        connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      forceCloseConnections: 'idle',
      return503OnClosing: false,
      genReqId: requestId,
      logger: false,
      multipart: false,
      routerOptions: { ignoreTrailingSlash: false, ignoreDuplicateSlashes: false, caseSensitive: true },
      // What the router refuses before any hook: a malformed URL, an endless parameter.
      frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
        errors.answer(error, request, reply.header('x-request-id', request.id));
      },
      clientErrorHandler: answerClientError,
    });
    this.instance.setErrorHandler((error, request, reply) => errors.answer(error, request, reply));
    this.instance.setNotFoundHandler((request, reply) => errors.notFound(request, reply));
  }

  override setErrorHandler(): FastifyInstance {
    return this.instance;
  }

  override setNotFoundHandler(): FastifyInstance {
    return this.instance;
  }
}
