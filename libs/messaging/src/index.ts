/** The ports, and their adapters within one process. What speaks to a server stands in `/redis` and `/rabbitmq`. */
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
