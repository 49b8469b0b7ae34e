// The fallback transports, bundled into one file that is loaded on first use.
export { createFallback } from './fallback.ts';
export { openPoll as poll, openRest as rest } from './poll.ts';
export { openSse as sse } from './sse.ts';
