import { ChatError } from '@chat-realtime/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../logger.ts';
import type { OriginPolicy } from '../origin-policy.ts';

const CORS_PATH = /^\/(?:chat|channel)(?:\/|$)/;
const CHANGING_METHODS = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
export const CORS_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
export const CORS_HEADERS = 'Authorization, Content-Type, X-Resume-Key, X-File-Name, Last-Event-ID, Idempotency-Key';
const PREFLIGHT_MAX_AGE_SECONDS = '600';

/**
 * A foreign page may neither change anything nor read an answer. Tokens never travel by cookie, so this is a second
 * wall, not the first.
 */
export function installOriginRules(server: FastifyInstance, policy: OriginPolicy, logger: Logger): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    const isCorsPath = CORS_PATH.test(request.url.split('?')[0] ?? '');
    if (isCorsPath) void reply.header('vary', 'Origin');
    if (origin === undefined) {
      done();
      return;
    }
    const verdict = policy.check(origin, request.headers.host);
    const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (verdict.allowed) {
      if (isCorsPath) allowOrigin(reply, origin);
      if (isCorsPath && isPreflight) void answerPreflight(reply);
      else done();
      return;
    }
    if (!mustBeOurs(request, isPreflight && isCorsPath)) {
      done();
      return;
    }
    logger.warn(
      { origin, hint: verdict.hint, reason: verdict.message, request_id: request.id, method: request.method },
      'foreign Origin refused',
    );
    done(new ChatError('origin_not_allowed', verdict.message));
  });
}

function mustBeOurs(request: FastifyRequest, isPreflight: boolean): boolean {
  return CHANGING_METHODS.has(request.method) || isPreflight || request.routeOptions.config.checkOrigin === true;
}

function allowOrigin(reply: FastifyReply, origin: string): void {
  void reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', 'Retry-After');
}

function answerPreflight(reply: FastifyReply): FastifyReply {
  return reply
    .code(204)
    .header('access-control-allow-methods', CORS_METHODS)
    .header('access-control-allow-headers', CORS_HEADERS)
    .header('access-control-max-age', PREFLIGHT_MAX_AGE_SECONDS)
    .send();
}
