import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { clientIp, isForwardingIgnored, type TrustedProxies } from '../client-ip.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';

const REQUEST_ID = /^[A-Za-z0-9_-]{8,64}$/;
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Anybody may send the header: the log must not grow by it. */
const MAX_TOLD = 8;
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Answers of these paths belong to one person unless the handler says otherwise. */
const PRIVATE_PATH = /^\/(?:chat|channel|auth|internal)(?:\/|$)/;

/** The id a proxy or client gave, when it is one; else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Request ids, addresses, default headers, metrics and one log line per refused or failed request. */
export function installObservation(
  server: FastifyInstance,
  metrics: Metrics,
  logger: Logger,
  trusted: TrustedProxies,
): void {
  const labels = ['route', 'method', 'code'];
  const requests = metrics.counter({ name: 'chat_http_requests_total', help: 'HTTP requests answered', labels });
  const durations = metrics.histogram({
    name: 'chat_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its response, without streams and long polls',
    labels,
    buckets: DURATION_BUCKETS,
  });
  server.decorateRequest('principal', null);
  server.decorateRequest('clientIp', '');
  server.decorateRequest('forwardingIgnored', false);
  const toldOf = new Set<string>();
  server.addHook('onRequest', (request, reply, done) => {
    request.clientIp = clientIp(request.raw, trusted);
    request.forwardingIgnored = isForwardingIgnored(request.raw, trusted);
    if (request.forwardingIgnored && toldOf.size < MAX_TOLD && !toldOf.has(request.clientIp)) {
      toldOf.add(request.clientIp);
      logger.warn(
        { client_ip: request.clientIp, hint: `TRUSTED_PROXIES=${request.clientIp}` },
        'requests arrive through a proxy that TRUSTED_PROXIES does not list, or that sends no X-Forwarded-For; if it is yours, all its visitors share one address',
      );
    }
    void reply.header('x-request-id', request.id);
    done();
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    void reply.header('x-content-type-options', 'nosniff');
    if (!reply.hasHeader('referrer-policy')) void reply.header('referrer-policy', 'no-referrer');
    const isPrivate = reply.statusCode >= 400 || PRIVATE_PATH.test(request.url.split('?')[0] ?? '');
    if (isPrivate && !reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
    done(null, payload);
  });
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched');
    const method = KNOWN_METHODS.has(request.method) ? request.method : 'other';
    const code = String(reply.statusCode);
    const seconds = reply.elapsedTime / 1000;
    requests.inc({ route, method, code });
    if (request.routeOptions.config.longLived !== true) durations.observe({ route, method, code }, seconds);
    // The route pattern and not the path: a path may hold a signature.
    const fields = { request_id: request.id, route, method, status: reply.statusCode, duration_s: seconds };
    if (reply.statusCode >= 400) logger.info(fields, 'request refused');
    else logger.debug(fields, 'request answered');
    done();
  });
}
