import { randomFillSync } from 'node:crypto';
import type { Principal } from '@chat-realtime/verifier';
import type { Transport } from './transport.ts';

/** Where a connection wants to start. `unreadable`: the given cursor cannot have been issued. */
export type StartCursor =
  | { readonly kind: 'head' }
  | { readonly kind: 'unreadable' }
  /** A cursor of version 0.1, whose position can no longer be found. */
  | { readonly kind: 'outdated' }
  | { readonly kind: 'after'; readonly cursor: number };

export interface CatchingUp {
  readonly kind: 'catching_up';
  readonly start: StartCursor;
  /** The last number sent here, a seq or one of the staff feed; null until `channel.ready` has said where it begins. */
  readonly cursor: number | null;
  /** How often chat-service had been queried about its session when it came; 0 for staff. */
  readonly askedBefore: number;
}

export type ConnectionState =
  | { readonly kind: 'authenticating'; readonly deadline: number; readonly verifying: boolean }
  | CatchingUp
  | { readonly kind: 'live' }
  /**
   * A goodbye time was sent. Nothing else is sent until then, because the numbers of its channel belong to another
   * database.
   */
  | { readonly kind: 'leaving' }
  /** The reason was sent. It waits for the peer's close, and is destroyed at `deadline`. */
  | { readonly kind: 'closing'; readonly deadline: number }
  | { readonly kind: 'closed' };

/** Shared by all connections, so that a state costs nothing while nothing happens. */
const LIVE: ConnectionState = Object.freeze({ kind: 'live' });
const LEAVING: ConnectionState = Object.freeze({ kind: 'leaving' });
const CLOSED: ConnectionState = Object.freeze({ kind: 'closed' });

const ID_BYTES = 12;
/** Fetched for many at once: the call costs more than all else that makes a connection. */
const randomness = Buffer.alloc(ID_BYTES * 512);
let used = randomness.length;

/** Uniformly random, so that ids of a dead gateway cannot come again. */
function newConnectionId(): string {
  if (used === randomness.length) {
    randomFillSync(randomness);
    used = 0;
  }
  used += ID_BYTES;
  return randomness.toString('base64url', used - ID_BYTES, used);
}

export interface NewConnection {
  /** Of the monotonic clock, as every time here but `expiresAt`. */
  readonly now: number;
  /** Until when it must have authenticated. */
  readonly authDeadline: number;
  /** Frames that may come at once. */
  readonly frameBurst: number;
}

/**
 * One client on one transport, and the only place where its state changes. Plain fields only: a connection owns no
 * timer, no closure and no collection while idle, since there are tens of thousands of them. A field that can be
 * written from outside names its one writer.
 */
export class Connection {
  readonly id: string;
  readonly transport: Transport;
  readonly openedAt: number;
  #state: ConnectionState;
  #principal: Principal | null = null;
  #leaseKey: string | null = null;
  #awaitsDrain = false;
  /** `StaggeredDisconnect`: when this one is disconnected. */
  leaveAt = Number.POSITIVE_INFINITY;
  /** `Deadlines`: the next ping or comment; the end of the wait for a poll. */
  dueAt = Number.POSITIVE_INFINITY;
  /** `Deadlines`: when the unanswered ping went out, 0 if none. */
  pingSentAt = 0;
  /** `Deadlines`. */
  missedPongs = 0;
  /** `Commands`. */
  badFrames = 0;
  /** `Typing`: when typing was last passed on; negative: that it ended. */
  lastTyping = Number.NEGATIVE_INFINITY;
  /** `StaffSight`: the session that an operator is viewing. */
  viewing: number | null = null;
  /** `FrameRate`, and the two that follow. */
  frameTokens: number;
  freeFramesUsed = 0;
  framesAt: number;
  /** `Backlog`, and the two that follow: a write did not reach the kernel at once. */
  backlogged = false;
  backlogMarkAt = 0;
  backlogMarkBytes = 0;
  #sentMessageId = 0;
  #messageFloor = 0;

  constructor(transport: Transport, { now, authDeadline, frameBurst }: NewConnection) {
    this.id = newConnectionId();
    this.transport = transport;
    this.openedAt = now;
    this.#state = { kind: 'authenticating', deadline: authDeadline, verifying: false };
    this.frameTokens = frameBurst;
    this.framesAt = now;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get principal(): Principal | null {
    return this.#principal;
  }

  /** The slot it holds. */
  get leaseKey(): string | null {
    return this.#leaseKey;
  }

  /** Unix milliseconds. */
  get expiresAt(): number {
    return this.#principal === null ? Number.POSITIVE_INFINITY : this.#principal.expiresAt * 1_000;
  }

  get isLive(): boolean {
    return this.#state.kind === 'live';
  }

  /** Whether it is ending or has ended. */
  get isOver(): boolean {
    return this.#state.kind === 'closing' || this.#state.kind === 'closed';
  }

  /** Whether `channel.ready` has gone out, so that further frames may follow. */
  get isReadySent(): boolean {
    const state = this.#state;
    return state.kind === 'live' || (state.kind === 'catching_up' && state.cursor !== null);
  }

  /** The largest message id sent here while it caught up: it may be acknowledged up to this. */
  get sentMessageId(): number {
    return this.#sentMessageId;
  }

  /** The newest message id of its session at the moment of going live. */
  get messageFloor(): number {
    return this.#messageFloor;
  }

  /** A token is being checked; false while another is, and when it is too late for one. */
  verify(): boolean {
    const state = this.#state;
    if (state.kind !== 'authenticating' || state.verifying) return false;
    this.#state = { ...state, verifying: true };
    return true;
  }

  holdLease(key: string): void {
    this.#leaseKey = key;
  }

  /** The slot it held, which is to be released; null if it held none. */
  giveUpLease(): string | null {
    const key = this.#leaseKey;
    this.#leaseKey = null;
    return key;
  }

  admit(principal: Principal): void {
    this.#principal = principal;
  }

  catchUp(start: StartCursor, askedBefore = 0): void {
    this.#state = { kind: 'catching_up', start, cursor: null, askedBefore };
  }

  /** Everything up to `cursor` was sent here, including a message with this id. */
  reach(cursor: number, messageId = 0): void {
    const state = this.#state;
    if (state.kind !== 'catching_up') throw new Error(`a connection that is ${state.kind} has no cursor of its own`);
    this.#state = { ...state, cursor };
    if (messageId > this.#sentMessageId) this.#sentMessageId = messageId;
  }

  goLive(messageFloor = 0): void {
    this.#state = LIVE;
    this.#messageFloor = messageFloor;
  }

  leave(): void {
    this.#state = LEAVING;
  }

  beginClosing(deadline: number): void {
    this.#state = { kind: 'closing', deadline };
  }

  end(): void {
    this.#state = CLOSED;
  }

  /** Whether less than `limit` bytes are queued. If not, `drained` is called once when everything has left. */
  hasRoom(limit: number, drained: () => void): boolean {
    if (this.transport.queuedBytes < limit) return true;
    if (this.#awaitsDrain) return false;
    this.#awaitsDrain = true;
    this.transport.whenDrained(() => {
      this.#awaitsDrain = false;
      drained();
    });
    return false;
  }
}
