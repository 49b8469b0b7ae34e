import type { CatchupSession, CustomerState } from '@chat-realtime/protocol';
import type { CustomerPrincipal, StaffPrincipal } from '@chat-realtime/verifier';
import { type Connection, type CustomerCatchingUp, isAnnounced, type StaffCatchingUp } from './connection.ts';
import { jsonFrame } from './encoding.ts';
import type { Hub } from './hub.ts';
import type { SessionChannel } from './session-channel.ts';
import type { PollAnswer } from './transport.ts';

type ResetReason = 'cursor_ahead' | 'cursor_unknown';

const NO_MARKS: CustomerState = {
  client: { delivered_id: 0, read_id: 0 },
  staff: { delivered_id: 0, read_id: 0 },
  operators_online: 0,
};

const VACATE_MS = 500;

/** The first words to a connection, and the answer of a poll. */
export class Announcer {
  readonly #hub: Hub;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  /** Fixes from where a customer's connection begins. False if it may not. */
  customer(connection: Connection, state: CustomerCatchingUp, channel: SessionChannel, page: CatchupSession): boolean {
    const { principal } = connection;
    if (principal?.kind !== 'customer') return false;
    if (typeof page.revoked_at === 'number' && principal.createdAt <= page.revoked_at) {
      this.#hub.close(connection, 'revoked');
      return false;
    }
    const { start } = state;
    let reset: ResetReason | null = null;
    if (start.kind === 'unreadable' || start.kind === 'outdated') reset = 'cursor_unknown';
    else if (start.kind === 'after' && start.cursor > page.last_seq) reset = 'cursor_ahead';
    state.cursor = reset === null && start.kind === 'after' ? start.cursor : page.last_seq;
    if (connection.transport.kind === 'poll') {
      if (reset !== null) this.#refusePoll(connection, reset);
      else if (start.kind === 'head') this.finishPoll(connection, { lastSeq: page.last_seq, hasMore: false });
      return reset === null && start.kind !== 'head';
    }
    this.#readyCustomer(connection, principal, state.cursor, channel, page.last_seq);
    this.#after(connection, reset);
    return true;
  }

  staff(connection: Connection, state: StaffCatchingUp, cursor: number, reset: ResetReason | null): boolean {
    const { principal } = connection;
    if (principal?.kind !== 'staff') return false;
    if (this.#hub.options.revocations.isRevoked(principal)) {
      this.#hub.close(connection, 'revoked');
      return false;
    }
    state.cursor = cursor;
    if (connection.transport.kind === 'poll') {
      if (reset !== null) this.#refusePoll(connection, reset);
      return reset === null;
    }
    this.#readyStaff(connection, principal, String(cursor));
    this.#after(connection, reset);
    return true;
  }

  finishPoll(connection: Connection, answer: PollAnswer): void {
    const { transport, leaseKey } = connection;
    if (transport.kind !== 'poll') return;
    if (leaseKey === null) {
      transport.finish(answer);
      this.#hub.closed(connection, 1000);
      return;
    }
    // The slot first, then the answer: the client's next poll may reach another gateway before a late release would, and
    // a session with all its tabs open would then refuse its own poll for a minute.
    connection.leaseKey = null;
    const vacated = this.#vacated(leaseKey, connection.id);
    this.#hub.closed(connection, 1000);
    void vacated.then(() => transport.finish(answer));
  }

  /** Resolves when the slot is free for all gateways, or after a moment where that cannot be known. */
  async #vacated(leaseKey: string, connectionId: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const moment = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, VACATE_MS);
    });
    await Promise.race([this.#hub.releaseLease(leaseKey, connectionId), moment]);
    clearTimeout(timer);
  }

  /** Answers a staff poll that has events, does not wait or began without a cursor. */
  finishStaffPoll(connection: Connection, cursor: number, hasMore: boolean): boolean {
    const { transport, state } = connection;
    if (transport.kind !== 'poll') return false;
    const fromHead = state.kind === 'catching_up' && state.start.kind === 'head';
    if (transport.queuedBytes === 0 && transport.waitMs > 0 && !fromHead && !this.#hub.draining) return false;
    this.finishPoll(connection, { lastSeq: null, hasMore: hasMore && !fromHead, cursor: String(cursor) });
    return true;
  }

  /** The wait of a poll is over. */
  pollExpired(connection: Connection): void {
    const { state, principal } = connection;
    if (principal?.kind === 'staff') {
      const cursor = state.kind === 'catching_up' && state.channel === 'staff' ? state.cursor : null;
      if (cursor !== null) this.finishPoll(connection, { lastSeq: null, hasMore: false, cursor: String(cursor) });
    } else if (principal?.kind === 'customer' && isAnnounced(state)) {
      const channel = this.#hub.channels.get(principal.sessionId);
      if (channel !== undefined) this.finishPoll(connection, { lastSeq: channel.head, hasMore: false });
    }
  }

  #refusePoll(connection: Connection, reason: ResetReason): void {
    if (connection.transport.kind === 'poll') connection.transport.refuse(reason);
    this.#hub.closed(connection, 1000);
  }

  #readyCustomer(
    connection: Connection,
    principal: CustomerPrincipal,
    from: number,
    channel: SessionChannel,
    lastSeq: number,
  ): void {
    const marks = channel.marks ?? NO_MARKS;
    const data = {
      session_id: principal.sessionId,
      from_seq: from,
      last_seq: lastSeq,
      ...this.#common(connection),
      state: { ...marks, operators_online: this.#hub.operatorsOnline(marks) },
    };
    this.#hub.sendFrame(connection, jsonFrame({ type: 'channel.ready', data }, from));
  }

  #readyStaff(connection: Connection, principal: StaffPrincipal, cursor: string): void {
    const data = {
      user_id: principal.userId,
      from_seq: null,
      last_seq: null,
      cursor,
      ...this.#common(connection),
      state: this.#hub.staffState(principal),
    };
    this.#hub.sendFrame(connection, jsonFrame({ type: 'channel.ready', cursor, data }, cursor));
  }

  #common(connection: Connection): object {
    return {
      epoch: this.#hub.epoch.current ?? '',
      ping_interval: this.#hub.options.config.pingIntervalSeconds,
      connection_id: connection.id,
      expires_at: new Date(connection.expiresAt).toISOString(),
    };
  }

  #after(connection: Connection, reset: ResetReason | null): void {
    if (reset !== null) this.#hub.send(connection, { type: 'channel.reset', data: { reason: reset } });
    const { reason } = this.#hub.livePath;
    if (reason !== null) this.#hub.send(connection, { type: 'channel.degraded', data: { reason } });
  }
}
