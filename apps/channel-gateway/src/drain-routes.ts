import { drainStatusSchema } from '@chat-realtime/protocol';
import { type Health, routeAccess } from '@chat-realtime/service-kit';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Gateway } from './gateway.ts';

type DrainStatus = z.infer<typeof drainStatusSchema>;

/**
 * Drains a gateway without stopping it, so that the administrator can check before stopping it. Only the admin command
 * uses it, and the edge does not route it. Only a restart undoes it, which comes next anyway.
 */
export function installDrainRoutes(server: FastifyInstance, gateway: Gateway, health: Health): void {
  const options = { config: routeAccess({ kind: 'internal' }) };
  const status = (): DrainStatus => ({
    draining: health.draining,
    connections: gateway.core.registry.size,
    drain_seconds: gateway.options.config.DRAIN_SECONDS,
  });
  server.get('/internal/drain', options, async () => status());
  server.post('/internal/drain', options, async (_request, reply) => {
    if (!health.draining) {
      health.setDraining();
      gateway.options.logger.info(
        { connections: gateway.core.registry.size },
        'draining at the request of an administrator',
      );
      gateway
        .drain()
        .catch((error: unknown) => gateway.options.logger.error({ err: error }, 'the drain did not complete'));
    }
    return reply.status(202).send(status());
  });
}
