import type { CursorReset } from '@chat-realtime/protocol';
import { type Clock, within } from '../clock.ts';
import type { Connection } from './connection.ts';
import type { Registry } from './registry.ts';
import type { PollAnswer } from './transport.ts';

const VACATE_MS = 500;

export interface PollsOptions {
  readonly clock: Clock;
  readonly registry: Registry;
  /** While the gateway drains no poll waits. */
  readonly isDraining: () => boolean;
  /** The newest seq of a session that has a stream here. */
  readonly headOf: (sessionId: number) => number | undefined;
}

/** Decides when a long poll is answered, and with what. The wait itself is a deadline, see deadlines.ts. */
export class Polls {
  readonly #options: PollsOptions;

  constructor(options: PollsOptions) {
    this.#options = options;
  }

  finish(connection: Connection, answer: PollAnswer): void {
    const { transport } = connection;
    const { registry } = this.#options;
    if (transport.kind !== 'poll') return;
    // Release the slot before answering: the client's next poll may reach another gateway before a late release would,
    // and a session with all its tabs open would then refuse its own poll for a minute.
    const leaseKey = connection.giveUpLease();
    const vacated = leaseKey === null ? null : this.#vacate(leaseKey, connection.id);
    if (vacated === null) transport.finish(answer);
    registry.closed(connection, 1000);
    if (vacated !== null) void vacated.then(() => transport.finish(answer));
  }

  /** A poll of a customer who is up to date. */
  complete(connection: Connection): void {
    const { principal } = connection;
    const head = principal?.kind === 'customer' ? this.#options.headOf(principal.sessionId) : undefined;
    if (head !== undefined) this.finish(connection, { lastSeq: head, hasMore: false });
  }

  /** Answers a staff poll that has events, does not wait or began without a cursor; true if it did. */
  finishStaff(connection: Connection, cursor: number, hasMore: boolean): boolean {
    const { transport, state } = connection;
    if (transport.kind !== 'poll') return false;
    const fromHead = state.kind === 'catching_up' && state.start.kind === 'head';
    if (transport.queuedBytes === 0 && transport.waitMs > 0 && !fromHead && !this.#options.isDraining()) return false;
    this.finish(connection, { lastSeq: null, hasMore: hasMore && !fromHead, cursor: String(cursor) });
    return true;
  }

  /** It is live now; one that does not wait is answered. */
  wentLive(connection: Connection): void {
    const { transport } = connection;
    if (transport.kind === 'poll' && (transport.waitMs === 0 || this.#options.isDraining())) this.complete(connection);
  }

  /** The wait is over. */
  expired(connection: Connection): void {
    const { state, principal } = connection;
    if (principal?.kind === 'staff') {
      const cursor = state.kind === 'catching_up' ? state.cursor : null;
      if (cursor !== null) this.finish(connection, { lastSeq: null, hasMore: false, cursor: String(cursor) });
    } else if (connection.isReadySent) {
      this.complete(connection);
    }
  }

  refuse(connection: Connection, reason: CursorReset): void {
    if (connection.transport.kind === 'poll') connection.transport.refuse(reason);
    this.#options.registry.closed(connection, 1000);
  }

  /** Resolves when the slot is released for all gateways, or shortly after if that cannot be confirmed. */
  async #vacate(leaseKey: string, connectionId: string): Promise<void> {
    const { clock, registry } = this.#options;
    await within(clock, VACATE_MS, registry.releaseLease(leaseKey, connectionId));
  }
}
