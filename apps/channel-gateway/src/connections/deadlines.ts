import type { Clock, Tick } from '../clock.ts';
import type { CoreMetrics, TransportKind } from '../core-metrics.ts';
import type { Connection } from './connection.ts';
import type { Polls } from './polls.ts';
import type { Registry } from './registry.ts';

const SSE_COMMENT_MS = 14_000;
/** How long a connection may wait for its first answer from chat-service. */
const READY_DEADLINE_MS = 15_000;
const MAX_MISSED_PONGS = 2;

export interface DeadlinesOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly registry: Registry;
  readonly polls: Polls;
  readonly metrics: CoreMetrics;
  readonly pingIntervalSeconds: number;
}

/**
 * Deadlines of connections: expiry, goodbye time, pings, the end of a poll's wait. One pass over plain fields checks
 * all connections, so that an idle one owns no timer.
 */
export class Deadlines {
  readonly #options: DeadlinesOptions;
  /** When the process last resumed after a pause: nobody could be answered before. */
  #wentOnAt = Number.NEGATIVE_INFINITY;

  constructor(options: DeadlinesOptions) {
    this.#options = options;
  }

  /** From its admission on it is pinged, or its wait is timed. */
  begin(connection: Connection): void {
    const { transport } = connection;
    const now = this.#options.clock.now();
    if (transport.kind === 'poll') connection.dueAt = now + transport.waitMs;
    // Jittered, so that connections made together are not pinged together forever.
    else connection.dueAt = now + this.#options.random() * this.#pingIntervalMs(transport.kind);
  }

  ponged(connection: Connection): void {
    const { clock, metrics, registry } = this.#options;
    if (connection.pingSentAt > 0) metrics.pingLatency((clock.now() - connection.pingSentAt) / 1_000);
    connection.pingSentAt = 0;
    if (connection.missedPongs > 0) void registry.setStale(connection, false);
    connection.missedPongs = 0;
  }

  check(tick: Tick): void {
    if (tick.paused) this.#wentOnAt = tick.now;
    for (const connection of this.#options.registry) this.#check(connection, tick);
  }

  #check(connection: Connection, { now, wall, paused }: Tick): void {
    const { registry } = this.#options;
    const { state } = connection;
    if (state.kind === 'authenticating') {
      // After a pause the frame with its credentials may still be unread in the socket.
      if (now >= state.deadline && !paused) registry.close(connection, 'timeout');
      return;
    }
    if (state.kind === 'closing') {
      if (now >= state.deadline) connection.transport.destroy();
      return;
    }
    const waitsForReady = state.kind === 'catching_up' && state.cursor === null;
    if (wall >= connection.expiresAt) registry.close(connection, 'token_expired');
    else if (now >= connection.leaveAt) registry.close(connection, 'service_restart');
    else if (waitsForReady && now - Math.max(connection.openedAt, this.#wentOnAt) > READY_DEADLINE_MS)
      registry.close(connection, 'try_again_later');
    else if (now >= connection.dueAt) this.#due(connection, now, paused);
  }

  #due(connection: Connection, now: number, paused: boolean): void {
    const { registry, polls } = this.#options;
    const { transport } = connection;
    if (transport.kind === 'poll') {
      polls.expired(connection);
      return;
    }
    connection.dueAt = now + this.#pingIntervalMs(transport.kind);
    if (transport.kind === 'sse') {
      if (connection.isReadySent) transport.ping();
      return;
    }
    // After a pause the pongs may still be unread in the sockets.
    if (connection.pingSentAt > 0 && !paused) {
      connection.missedPongs += 1;
      if (connection.missedPongs >= MAX_MISSED_PONGS) {
        registry.close(connection, 'timeout');
        return;
      }
      void registry.setStale(connection, true);
    }
    connection.pingSentAt = now;
    transport.ping();
  }

  #pingIntervalMs(kind: TransportKind): number {
    return kind === 'sse' ? SSE_COMMENT_MS : this.#options.pingIntervalSeconds * 1_000;
  }
}
