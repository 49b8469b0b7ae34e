/**
 * The step between RabbitMQ and Redis. An event enters from a queue in `dispatcher.ts`, `frames.ts` turns it into a frame
 * for customers and one for staff, and `fanout-writer.ts` publishes both. The event is acknowledged only after that.
 *
 * The dispatcher removes no duplicates: the gateways do. It keeps no state: what an erasure could not delete at once waits
 * in RabbitMQ (`pending-erasures.ts`). Several dispatchers share the queues.
 * `testing/` has samples of events and an observer of the fan-out.
 *
 * Start with `dispatcher.ts`. `main.ts` runs it as a process of its own.
 */
export { createDispatcher, type Dispatcher, type DispatcherOptions } from './dispatcher.ts';
export { type DispatcherEnvironment, dispatcherEnvironment } from './config.ts';
