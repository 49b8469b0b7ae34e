import { randomBytes } from 'node:crypto';
import type { Principal } from '@chat-realtime/verifier';
import type { Transport } from './transport.ts';

/** Where a connection wants to begin. `unreadable`: a cursor was given that nobody can have been given. */
export type StartCursor<T> =
  | { readonly kind: 'head' }
  | { readonly kind: 'unreadable' }
  /** A cursor of version 0.1, which names a place that cannot be found any more. */
  | { readonly kind: 'outdated' }
  | { readonly kind: 'after'; readonly cursor: T };

export interface CustomerCatchingUp {
  readonly kind: 'catching_up';
  readonly channel: 'session';
  readonly start: StartCursor<number>;
  /** Last seq sent here; -1 until `channel.ready` has said from where it begins. */
  cursor: number;
  /** How often its channel had asked chat-service when it came. */
  askedBefore: number;
}

export interface StaffCatchingUp {
  readonly kind: 'catching_up';
  readonly channel: 'staff';
  readonly start: StartCursor<number>;
  /** Number of the feed up to which everything was sent here; null until `channel.ready`. */
  cursor: number | null;
}

export type ConnectionState =
  | { readonly kind: 'authenticating'; readonly deadline: number; verifying: boolean }
  | CustomerCatchingUp
  | StaffCatchingUp
  | { readonly kind: 'live' }
  /** Told when to go; until then it gets nothing of its channel, whose numbers are of another database. */
  | { readonly kind: 'leaving' }
  /** Told why, waiting for the peer's close; destroyed at `deadline`. */
  | { readonly kind: 'closing'; readonly deadline: number }
  | { readonly kind: 'closed' };

/** Shared by all connections, so that a state costs nothing while nothing happens. */
export const LIVE: ConnectionState = Object.freeze({ kind: 'live' });
export const LEAVING: ConnectionState = Object.freeze({ kind: 'leaving' });
export const CLOSED: ConnectionState = Object.freeze({ kind: 'closed' });

/** Whether `channel.ready` has gone out, so that further frames may follow. */
export function isAnnounced(state: ConnectionState): boolean {
  if (state.kind === 'live') return true;
  if (state.kind !== 'catching_up') return false;
  return state.channel === 'session' ? state.cursor >= 0 : state.cursor !== null;
}

/** Uniformly random, so that ids of a dead gateway cannot come again. */
export function newConnectionId(): string {
  return randomBytes(12).toString('base64url');
}

/**
 * One client on one transport. Plain fields only: a connection owns no timer, no closure and no collection while idle,
 * since there are tens of thousands of them.
 */
export class Connection {
  readonly id: string;
  readonly transport: Transport;
  readonly openedAt: number;
  state: ConnectionState;
  principal: Principal | null = null;
  /** Slot held under this lease key. */
  leaseKey: string | null = null;
  /** Unix milliseconds; every other time here is of the monotonic clock. */
  expiresAt = Number.POSITIVE_INFINITY;
  /** Set while the gateway drains: when this one is sent away. */
  leaveAt = Number.POSITIVE_INFINITY;
  /** Next ping or comment; end of the wait for a poll. */
  dueAt = Number.POSITIVE_INFINITY;
  /** When the unanswered ping went out, 0 if none. */
  pingSentAt = 0;
  missedPongs = 0;
  badFrames = 0;
  frameTokens: number;
  freeFramesUsed: number;
  framesAt: number;
  /** A write did not go to the kernel at once: the next ones look at the queue first. */
  backlogged = false;
  backlogMarkAt = 0;
  backlogMarkBytes = 0;
  /** Catching up and full: a drain listener is set. */
  awaitingDrain = false;
  lastTyping = Number.NEGATIVE_INFINITY;
  /** Largest message id sent here while catching up; what may be acknowledged. */
  sentMessageId = 0;
  /** The channel's newest message id at the moment of going live. */
  messageFloor = 0;
  viewing: number | null = null;

  constructor(transport: Transport, now: number, authDeadline: number, frameBurst: number) {
    this.id = newConnectionId();
    this.transport = transport;
    this.openedAt = now;
    this.state = { kind: 'authenticating', deadline: authDeadline, verifying: false };
    this.frameTokens = frameBurst;
    this.freeFramesUsed = 0;
    this.framesAt = now;
  }
}
