import { ChatError } from '@chat-realtime/protocol';
import type { FastifyInstance } from 'fastify';
import type { Health } from '../health.ts';
import type { Metrics } from '../metrics.ts';
import { routeAccess } from './access.ts';
import { bearerToken, refusalError, secretsEqual } from './route-guard.ts';

/**
 * Who may read `/metrics`. `open` is for a server on a separate port that is not public. The source of a request
 * decides nothing: a reverse proxy on this machine looks like a local client.
 */
export type MetricsAccess =
  | { readonly kind: 'open' }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'none' };

export interface OperationalOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly metricsAccess: MetricsAccess;
}

/** `/healthz` (the process lives), `/readyz` (it can serve), `/metrics`. */
export function installOperationalRoutes(server: FastifyInstance, options: OperationalOptions): void {
  const { health, metrics, metricsAccess } = options;
  const config = routeAccess({ kind: 'public', reason: 'health, for load balancers' });
  server.get('/healthz', { config }, async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'ok' }),
  );
  server.get('/readyz', { config }, async (_request, reply) => {
    const { ok, checks } = await health.readiness();
    if (!ok) throw new ChatError('unavailable', 'the service is not ready', { details: { checks } });
    return reply.header('cache-control', 'no-store').send({ status: 'ok', checks });
  });
  if (metricsAccess.kind === 'none') return;
  const metricsConfig = routeAccess({
    kind: 'public',
    reason: 'figures without personal data; on a port that is not routed to the public, or by METRICS_TOKEN',
  });
  server.get('/metrics', { config: metricsConfig }, async (request, reply) => {
    if (metricsAccess.kind === 'bearer') {
      const given = bearerToken(request.headers);
      if (given === undefined) throw refusalError('missing_credentials');
      if (!secretsEqual(given, metricsAccess.token)) throw refusalError('bad_token');
      void reply.header('cache-control', 'no-store');
    }
    return reply.type(metrics.contentType).send(await metrics.collect());
  });
}
