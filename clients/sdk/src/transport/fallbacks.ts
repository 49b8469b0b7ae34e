// What stands in where WebSocket does not work: one file for all, loaded when the first of them is needed.
export { createFallback } from './fallback.ts';
export { openPoll as poll, openRest as rest } from './poll.ts';
export { openSse as sse } from './sse.ts';
