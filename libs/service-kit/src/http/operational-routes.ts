import { ChatError } from '@chat-realtime/protocol';
import type { FastifyInstance } from 'fastify';
import type { Health } from '../health.ts';
import type { Metrics } from '../metrics.ts';
import { routeAccess } from './access.ts';

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

export interface OperationalOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  /** For a server that faces the public itself. */
  readonly metricsOnLoopbackOnly: boolean;
}

/** `/healthz` (the process lives), `/readyz` (it can serve), `/metrics`. */
export function installOperationalRoutes(server: FastifyInstance, options: OperationalOptions): void {
  const config = routeAccess({ kind: 'public', reason: 'health, for load balancers' });
  server.get('/healthz', { config }, async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'ok' }),
  );
  server.get('/readyz', { config }, async (_request, reply) => {
    const { ok, checks } = await options.health.readiness();
    if (!ok) throw new ChatError('unavailable', 'the service is not ready', { details: { checks } });
    return reply.header('cache-control', 'no-store').send({ status: 'ok', checks });
  });
  const metricsConfig = routeAccess({
    kind: 'public',
    reason: 'figures without personal data; not routed to the public',
  });
  server.get('/metrics', { config: metricsConfig }, async (request, reply) => {
    // A reverse proxy on this machine connects from loopback too, and says for whom.
    const isLocal =
      LOOPBACK.test(request.socket.remoteAddress ?? '') && request.headers['x-forwarded-for'] === undefined;
    if (options.metricsOnLoopbackOnly && !isLocal) throw new ChatError('not_found', 'no such address');
    return reply.type(options.metrics.contentType).send(await options.metrics.collect());
  });
}
