import type { Backend, RestBackendOptions } from './api/backend.ts';
import type { ChatClient, ChatClientOptions } from './api/customer.ts';
export type * from './api/backend.ts';
export type * from './api/connection.ts';
export type * from './api/customer.ts';
export type * from './api/environment.ts';
export type * from './api/protocol.ts';
export { ChatClientError, type ChatClientErrorCode } from './errors.ts';
export declare function createChatClient(options?: ChatClientOptions): ChatClient;
export declare function restBackend(options?: RestBackendOptions): Backend;
/** Key under which a begun chat is stored: a loader that finds nothing there need not load the client at all. */
export declare function storedSessionKey(namespace?: string): string;
