import { type Clock, pause } from '../clock.ts';
import type { Connection } from './connection.ts';
import type { Polls } from './polls.ts';
import type { Registry } from './registry.ts';

const POLL_MS = 50;
/** Time for close frames still in flight when the last client is disconnected. */
const GRACE_MS = 1_500;

/** After a restore clients reconnect at this rate, over the time of a drain at most. */
const RETURN_EVERY_MS = 10;
const RETURN_MIN_MS = 500;

export interface StaggeredDisconnectOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly registry: Registry;
  readonly polls: Polls;
  readonly drainSeconds: number;
}

/**
 * Disconnects clients at staggered times (drain, restore), so that the other gateways get a steady stream of reconnects
 * rather than a spike.
 */
export class StaggeredDisconnect {
  readonly #options: StaggeredDisconnectOptions;
  #draining = false;

  constructor(options: StaggeredDisconnectOptions) {
    this.#options = options;
  }

  /** New connections are refused. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Disconnects connections whose cursors became invalid. Each gets a time, and receives nothing until then. */
  sendAway(connections: Iterable<Connection>): void {
    const { registry, drainSeconds } = this.#options;
    const leaving = [...connections].filter((connection) => connection.isReadySent);
    const spreadMs = Math.min(drainSeconds * 1_000, RETURN_MIN_MS + registry.size * RETURN_EVERY_MS);
    for (const connection of leaving) {
      this.#sayGoodbye(connection, spreadMs);
      registry.takeOut(connection);
    }
  }

  /** Each client is served as before until its time. Resolves when all are gone, or shortly after `drainSeconds`. */
  async drain(): Promise<void> {
    const { clock, registry, polls, drainSeconds } = this.#options;
    this.#draining = true;
    const spreadMs = drainSeconds * 1_000;
    const deadline = clock.now() + spreadMs + GRACE_MS;
    for (const connection of [...registry]) {
      if (connection.transport.kind === 'poll') polls.expired(connection);
      else this.#sayGoodbye(connection, spreadMs);
    }
    while (registry.size > 0 && clock.now() < deadline) await pause(clock, POLL_MS);
  }

  #sayGoodbye(connection: Connection, spreadMs: number): void {
    const { clock, random, registry } = this.#options;
    const leaveIn = Math.round(random() * spreadMs);
    connection.leaveAt = clock.now() + leaveIn;
    if (connection.isReadySent)
      registry.send(connection, { type: 'channel.goodbye', data: { reconnect_in_ms: leaveIn } });
  }
}
