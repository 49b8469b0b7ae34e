import { ChatError } from '@chat-realtime/protocol';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../logger.ts';
import { errorResponse } from './error-response.ts';
import type { RouteTable } from './route-table.ts';

const SHARED_ADDRESS = '; behind a proxy TRUSTED_PROXIES must name it, see docs/guides/reverse-proxy.md';

/** The only way in which an error leaves the service, wherever it was thrown. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #logger: Logger;
  readonly #routes: RouteTable;

  constructor(logger: Logger, routes: RouteTable) {
    this.#logger = logger;
    this.#routes = routes;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const response = errorResponse(error, request.id);
    // The visitor did nothing wrong: behind such a proxy all of them count as one.
    if (response.status === 429 && request.forwardingIgnored) response.body.error.message += SHARED_ADDRESS;
    if (response.fault) {
      const cause = error instanceof Error ? error : new Error('a value that is not an Error was thrown');
      const fields = { request_id: request.id, method: request.method, route: request.routeOptions.url ?? 'unmatched' };
      if (response.body.error.code === 'internal_error')
        this.#logger.error({ err: cause, ...fields }, 'request failed');
      else this.#logger.warn({ err: cause, ...fields }, 'request failed by a dependency');
    }
    if (reply.sent || reply.raw.headersSent) {
      // Half an answer is out: cutting it off is the only way to say that the rest is missing.
      reply.raw.destroy();
      return;
    }
    void reply
      .code(response.status)
      .headers(response.headers)
      .type('application/json; charset=utf-8')
      .send(response.body);
  }

  /**
   * Nothing there: a known path with another method is 405 with what it has; anything else, a missing file too, is 404.
   */
  notFound(request: FastifyRequest, reply: FastifyReply): void {
    // The route of the files may have said "for ever" before it found nothing: the file may come with the next update.
    reply.header('cache-control', 'no-store');
    const methods = this.#routes.methodsOf(request.url);
    if (methods.length === 0 || methods.includes(request.method)) {
      this.answer(new ChatError('not_found', 'no such address'), request, reply);
      return;
    }
    const error = new ChatError('method_not_allowed', `this address answers ${methods.join(', ')}`);
    this.answer(error, request, reply.header('allow', methods.join(', ')));
  }
}
