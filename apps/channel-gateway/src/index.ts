/**
 * Holds the connections of customers and staff, and shows each of them every event once and in order.
 *
 * A frame enters from Redis in `sync/fanout-link.ts`, is put in order in `streams/`, and leaves through the transports in
 * `channel/`. A frame from a client enters in `channel/` and is judged in `commands.ts`. What the fan-out has lost is
 * fetched from chat-service by `sync/catchup-loop.ts`.
 *
 * - `channel/`: WebSocket, SSE and long poll; HTTP routes
 * - `connections/`: open connections: handshake, credentials, deadlines, limits, drain
 * - `streams/`: sessions and the staff feed, each with its cursor and its audience
 * - `state/`: what is not an event: presence, badge, revocations, delivery acks
 * - `sync/`: the one kind of call to chat-service, the fan-out, the head check
 * - `testing/`: the core on virtual time, and clients for tests
 *
 * Start with `core.ts`, which puts the parts together, then `streams/sequencer.ts`.
 */
export { createGateway, Gateway, type GatewayOptions } from './gateway.ts';
export { GatewayModule } from './gateway.module.ts';
export { gatewayEnvironment, gatewayVariables, type GatewayConfig, type GatewayEnvironment } from './config.ts';
export { createHttpSource, type HttpSourceOptions } from './http-source.ts';
