import 'reflect-metadata';
import { REST_BODY_MAX_BYTES } from '@chat-realtime/protocol';
import type { TokenVerifier } from '@chat-realtime/verifier';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { TrustedProxies } from '../client-ip.ts';
import type { Health } from '../health.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { OriginPolicy } from '../origin-policy.ts';
import { createValidationPipes } from '../validation.ts';
import { installBodyParser } from './body-parser.ts';
import { ErrorFilter } from './error-filter.ts';
import { ChatFastifyAdapter } from './fastify-adapter.ts';
import { NestLogger } from './nest-logger.ts';
import { installOperationalRoutes, type MetricsAccess } from './operational-routes.ts';
import { installOriginRules } from './origin-hook.ts';
import { installObservation } from './request-observation.ts';
import { RouteGuard } from './route-guard.ts';
import { installRouteTable, RouteTable } from './route-table.ts';
import { installUnreadAnswers, type UnreadAnswerLimits } from './unread-answers.ts';

/**
 * Connections that wait to be accepted; the kernel allows no more than `net.core.somaxconn`. Node's 511 are too few
 * when a gateway has died and thousands of clients come to another one: a dropped SYN is repeated after one second,
 * then after three.
 */
const ACCEPT_BACKLOG = 4_096;

export interface HttpAppOptions {
  readonly modules: readonly (Type | DynamicModule)[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Needed as soon as a route asks for a customer or staff. */
  readonly verifier?: TokenVerifier | undefined;
  /** Needed by internal routes. */
  readonly internalApiKey?: string | undefined;
  /** Needed by the intake of a site's events. */
  readonly eventsApiKey?: string | undefined;
  /** Unless given, only the request's own host. */
  readonly origins?: OriginPolicy | undefined;
  readonly trustedProxies?: TrustedProxies | undefined;
  readonly bodyLimit?: number | undefined;
  /** Unless given, open: the port is the service's own. */
  readonly metricsAccess?: MetricsAccess | undefined;
  /** Bytes of responses that are not read. */
  readonly unreadAnswers?: UnreadAnswerLimits | undefined;
  /** Mounts routes on Fastify itself, each with `config: routeAccess(…)`. */
  readonly configure?: ((server: FastifyInstance) => Promise<void> | void) | undefined;
  /** With a port the application also listens; 0 takes a free one. */
  readonly port?: number | undefined;
  readonly host?: string | undefined;
}

@Module({})
class RootModule {}

/**
 * The HTTP side of a service. Everything that must hold for every route is installed here, once: ids, origins, the
 * guard, errors, limits, health, metrics. Routes may be added to the returned application until it listens.
 */
export async function createHttpApp(options: HttpAppOptions): Promise<NestFastifyApplication> {
  const { logger, metrics, health } = options;
  const routes = new RouteTable();
  const errors = new ErrorFilter(logger, routes);
  const adapter = new ChatFastifyAdapter(errors);
  const server = adapter.getInstance();
  installRouteTable(server, routes);
  installObservation(server, metrics, logger, options.trustedProxies ?? TrustedProxies.NONE);
  installUnreadAnswers(server, metrics, logger, options.unreadAnswers);
  installOriginRules(server, options.origins ?? OriginPolicy.create({ allowed: [], demo: false }), logger);
  const { verifier, internalApiKey, eventsApiKey } = options;
  const guard = new RouteGuard({ verifier, internalApiKey, eventsApiKey });
  server.addHook('onRequest', async (request) => {
    if (!request.is404) request.principal = await guard.admit(request, request.routeOptions.config.access);
  });
  installBodyParser(server, options.bodyLimit ?? REST_BODY_MAX_BYTES);
  installOperationalRoutes(server, { health, metrics, metricsAccess: options.metricsAccess ?? { kind: 'open' } });

  const root: DynamicModule = { module: RootModule, imports: [...options.modules] };
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(errors);
  app.useGlobalPipes(...createValidationPipes());
  await options.configure?.(server);
  await app.init();
  if (options.port !== undefined)
    await app.listen({ port: options.port, host: options.host ?? '127.0.0.1', backlog: ACCEPT_BACKLOG });
  return app;
}
