/**
 * What every service needs and none should write again: configuration from variables, JSON logs without personal data,
 * metrics, health, shutdown in order, rate limits.
 *
 * A request enters in `http/`: request id, origin, body limit, the guard of its route, error envelope. An event leaves its
 * time in `trace/` at each hop, so that one slow message can be explained.
 *
 * - `http/`: the Fastify/Nest application and its guards; a route without an access decorator is refused
 * - `trace/`: hops of an event, kept in memory and optionally exported as spans
 * - `testing/`: helpers for tests of services
 *
 * Start with `http/create-http-app.ts`, then `config.ts`.
 */
import 'reflect-metadata';

export * from './client-ip.ts';
export * from './config.ts';
export * from './environment.ts';
export * from './health.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './origin-policy.ts';
export * from './public-address.ts';
export * from './exposure.ts';
export * from './rate-limiter.ts';
export * from './shutdown.ts';
export { createEventTrace, EventTrace, type EventSpan } from './trace/event-trace.ts';
export { HopJournal, renderHop } from './trace/hop-journal.ts';
export { HOPS_PATH, installHopRoute, listenForHops } from './trace/hop-route.ts';
export { type FieldProblem, validate } from './validation.ts';
export * from './http/access.ts';
export { closeHttpApp } from './http/close-http-app.ts';
export { createHttpApp, type HttpAppOptions } from './http/create-http-app.ts';
export { dependencyFailure } from './http/dependency-failure.ts';
export { errorResponse, type ErrorResponse } from './http/error-response.ts';
export { listenForMetrics } from './http/metrics-listener.ts';
export type { MetricsAccess } from './http/operational-routes.ts';
export { CORS_HEADERS, CORS_METHODS } from './http/origin-hook.ts';
export { bearerToken, refusalError, secretsEqual } from './http/route-guard.ts';
export { listRoutes, type RouteEntry } from './http/route-table.ts';
