/**
 * How services reach each other without knowing by what. This entry exports the ports and their in-memory adapters; the
 * ones that need a server are the entries `/redis` and `/rabbitmq`.
 *
 * A message passes two ports: the relay gives it to `EventPublisher`, a dispatcher takes it from `EventConsumer` and gives
 * its frames to `Fanout`, and the gateways receive those.
 *
 * - `ports/`: the interfaces: event queue, fan-out, leases, last-seen marks, a site's own broker
 * - `memory/`: all of them within one process
 * - `rabbitmq/`: queues and confirms; changing the number of queues without reordering
 * - `redis/`: pub/sub, cluster, leases
 * - `testing/`: one contract suite per port, run over every adapter
 *
 * Start with `ports/event-queue.ts`.
 */
export type * from './ports/event-queue.ts';
export type * from './ports/fanout.ts';
export type * from './ports/leases.ts';
export type * from './ports/last-seen.ts';
export type * from './ports/site-source.ts';
export type { MessagingLogger } from './logger.ts';
export { RefusedError, UnavailableError, UnconfirmedError } from './errors.ts';
export { Backoff } from './backoff.ts';
export { createMemoryBroker, type MemoryBroker } from './memory/broker.ts';
export { createMemoryFanout } from './memory/fanout.ts';
export { createMemoryLeases } from './memory/leases.ts';
export { createMemoryLastSeen } from './memory/last-seen.ts';
