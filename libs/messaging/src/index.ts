export type * from './ports/event-queue.ts';
export type * from './ports/fanout.ts';
export type * from './ports/leases.ts';
export type * from './ports/last-seen.ts';
