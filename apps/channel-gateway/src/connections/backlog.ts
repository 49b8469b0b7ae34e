import type { Connection } from './connection.ts';

/** How long data of a live connection may wait for its reader. */
const SLOW_CONSUMER_MS = 10_000;

/** Connections whose last write did not leave at once: later writes check the queue first. */
export class Backlog {
  readonly #connections = new Set<Connection>();

  get queuedBytes(): number {
    let queued = 0;
    for (const connection of this.#connections) queued += connection.transport.queuedBytes;
    return queued;
  }

  note(connection: Connection, now: number): void {
    if (connection.backlogged) return;
    connection.backlogged = true;
    connection.backlogMarkAt = now;
    connection.backlogMarkBytes = connection.transport.enqueuedBytes;
    this.#connections.add(connection);
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Removes connections that have read everything. Returns those that have read nothing for too long. */
  check(now: number): Connection[] {
    const slow: Connection[] = [];
    for (const connection of this.#connections) {
      const { queuedBytes, enqueuedBytes } = connection.transport;
      if (queuedBytes === 0) {
        connection.backlogged = false;
        this.#connections.delete(connection);
      } else if (enqueuedBytes - queuedBytes >= connection.backlogMarkBytes || !connection.isLive) {
        connection.backlogMarkAt = now;
        connection.backlogMarkBytes = enqueuedBytes;
      } else if (now - connection.backlogMarkAt > SLOW_CONSUMER_MS) {
        slow.push(connection);
      }
    }
    return slow;
  }
}
