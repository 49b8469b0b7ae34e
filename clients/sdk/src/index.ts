// Customer's client. Types of the wire come along, so that an integration needs one import.
export type * from './api/backend.ts';
export type * from './api/connection.ts';
export type * from './api/customer.ts';
export type * from './api/environment.ts';
export type * from './api/protocol.ts';
export type * from './api/site.ts';
export { memoryStorage } from './core/environment.ts';
export { intervalNow } from './core/interval-clock.ts';
export { storedSessionKey } from './core/json-storage.ts';
export { tellAll } from './core/tell-all.ts';
export { createChatClient } from './customer/client.ts';
export { restBackend } from './customer/rest-backend.ts';
export { ChatClientError, type ChatClientErrorCode } from './errors.ts';
