import { handlePush, isPushScope, type PushWorkerOptions } from '@chat-realtime/client/push';

declare global {
  /** Set by the worker that imports this one, before it does. */
  var chatPush: PushWorkerOptions | undefined;
}

// Imported by a site's worker: `importScripts('https://chat.example.com/widget/v1/push-worker.js')`.
const scope: unknown = globalThis;
if (isPushScope(scope)) handlePush(scope, globalThis.chatPush);
