import {
  type BadgeData,
  type CatchupSession,
  type CursorReset,
  type DegradedReason,
  type CustomerState,
  type PresenceUser,
  type StaffViewer,
} from '@chat-realtime/protocol';
import type { Principal } from '@chat-realtime/verifier';
import type { Connection } from './connection.ts';
import { jsonFrame } from './encoding.ts';
import type { Polls } from './polls.ts';
import type { Registry } from './registry.ts';

const NO_MARKS: CustomerState = {
  client: { delivered_id: 0, read_id: 0 },
  staff: { delivered_id: 0, read_id: 0 },
  operators_online: 0,
};

export interface HandshakeOptions {
  readonly registry: Registry;
  readonly polls: Polls;
  readonly pingIntervalSeconds: number;
  readonly isRevoked: (principal: Principal) => boolean;
  /** Id of the database; empty while it is not known. */
  readonly epoch: () => string;
  /** Null while the live path works. */
  readonly degraded: () => DegradedReason | null;
  readonly operatorsOnline: (marks: CustomerState) => number;
  readonly staffState: (viewer: StaffViewer) => { badge: BadgeData; users: readonly PresenceUser[] };
}

/** Sends `channel.ready`: where the connection starts, and the state at that time. */
export class Handshake {
  readonly #options: HandshakeOptions;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** Determines where a customer's connection starts. False if nothing may follow: it was refused, or answered. */
  customer(connection: Connection, page: CatchupSession, marks: CustomerState | null): boolean {
    const { registry, polls, operatorsOnline } = this.#options;
    const { principal, state } = connection;
    if (principal?.kind !== 'customer' || state.kind !== 'catching_up') return false;
    if (typeof page.revoked_at === 'number' && principal.createdAt <= page.revoked_at) {
      registry.close(connection, 'revoked');
      return false;
    }
    const { start } = state;
    let reset: CursorReset | null = null;
    if (start.kind === 'unreadable' || start.kind === 'outdated') reset = 'cursor_unknown';
    else if (start.kind === 'after' && start.cursor > page.last_seq) reset = 'cursor_ahead';
    const from = reset === null && start.kind === 'after' ? start.cursor : page.last_seq;
    connection.reach(from);
    if (connection.transport.kind === 'poll') {
      if (reset !== null) polls.refuse(connection, reset);
      else if (start.kind === 'head') polls.finish(connection, { lastSeq: page.last_seq, hasMore: false });
      return reset === null && start.kind !== 'head';
    }
    const known = marks ?? NO_MARKS;
    const data = {
      session_id: principal.sessionId,
      from_seq: from,
      last_seq: page.last_seq,
      ...this.#common(connection),
      state: { ...known, operators_online: operatorsOnline(known) },
    };
    registry.sendFrame(connection, jsonFrame({ type: 'channel.ready', data }, from));
    this.#after(connection, reset);
    return true;
  }

  /** The same for staff; `reset`: why their cursor is not valid. */
  staff(connection: Connection, from: number, reset: CursorReset | null): boolean {
    const { registry, polls, isRevoked, staffState } = this.#options;
    const { principal } = connection;
    if (principal?.kind !== 'staff') return false;
    if (isRevoked(principal)) {
      registry.close(connection, 'revoked');
      return false;
    }
    connection.reach(from);
    if (connection.transport.kind === 'poll') {
      if (reset !== null) polls.refuse(connection, reset);
      return reset === null;
    }
    const cursor = String(from);
    const data = {
      user_id: principal.userId,
      from_seq: null,
      last_seq: null,
      cursor,
      ...this.#common(connection),
      state: staffState(principal),
    };
    registry.sendFrame(connection, jsonFrame({ type: 'channel.ready', cursor, data }, cursor));
    this.#after(connection, reset);
    return true;
  }

  #common(connection: Connection): object {
    return {
      epoch: this.#options.epoch(),
      ping_interval: this.#options.pingIntervalSeconds,
      connection_id: connection.id,
      expires_at: new Date(connection.expiresAt).toISOString(),
    };
  }

  #after(connection: Connection, reset: CursorReset | null): void {
    const { registry, degraded } = this.#options;
    if (reset !== null) registry.send(connection, { type: 'channel.reset', data: { reason: reset } });
    const reason = degraded();
    if (reason !== null) registry.send(connection, { type: 'channel.degraded', data: { reason } });
  }
}
