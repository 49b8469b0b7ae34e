/**
 * Client of Chat Realtime for customers. Types of the wire are exported with it, so that an integration needs one import.
 * Other entries: `staff.ts` for consoles, `badge.ts`, `site.ts`, `links.ts`, `push.ts`, and `testing/`.
 *
 * A frame enters through `transport/` into `connection/`, is put in order by `sync/sequence.ts`, and changes what
 * `customer/client.ts` or `staff/client.ts` shows. A message leaves through `sync/outbox.ts` by REST.
 *
 * - `api/`: the public types
 * - `core/`: small parts without a subject: HTTP, timers, storage, stores
 * - `transport/`: WebSocket, SSE, long poll behind one interface
 * - `connection/`: phases, back-off, transport fallback, heartbeat
 * - `sync/`: order and gaps, history, unsent messages, marks, typing
 * - `tabs/`: one connection for all tabs of a browser
 * - `customer/`, `staff/`: the two clients
 * - `push/`: notifications on a device
 * - `testing/`: a world on virtual time for simulations
 *
 * Start with `customer/client.ts`, then `connection/connection.ts`.
 */
export type * from './api/backend.ts';
export type * from './api/connection.ts';
export type * from './api/customer.ts';
export type * from './api/environment.ts';
export type * from './api/protocol.ts';
export type * from './api/site.ts';
export { memoryStorage } from './core/environment.ts';
export { intervalNow } from './core/interval-clock.ts';
export { storedSessionKey } from './core/json-storage.ts';
export { notifyAll } from './core/notify-all.ts';
export { createChatClient } from './customer/client.ts';
export { restBackend } from './customer/rest-backend.ts';
export { ChatClientError, type ChatClientErrorCode } from './errors.ts';
