import type { Connection } from '../connections/connection.ts';
import { PAGE_QUEUE_LIMIT, type StreamHost } from './stream-host.ts';

/** Those who follow live and share the bytes of a frame. */
export interface Followers {
  /** Sends what is pending for them. */
  flush(): void;
  add(connection: Connection): void;
}

/** What goes on with a connection whose socket was full and has drained. */
export interface Pacing {
  drained(connection: Connection): void;
}

/**
 * The connections that are on their way to the cursor of a stream, each from its own. A session's are served by pages that
 * they share, staff by pages or frames of their own; the rest is one rule. The socket paces them, and one that is level
 * joins the followers behind what is pending for those: it has had that.
 */
export class Joining {
  readonly connections: Connection[] = [];
  readonly #followers: Followers;
  readonly #host: Pick<StreamHost, 'wentLive'>;
  readonly #pacing: Pacing;

  constructor(followers: Followers, host: Pick<StreamHost, 'wentLive'>, pacing: Pacing) {
    this.#followers = followers;
    this.#host = host;
    this.#pacing = pacing;
  }

  has(connection: Connection): boolean {
    return this.connections.includes(connection);
  }

  remove(connection: Connection): void {
    const index = this.connections.indexOf(connection);
    if (index >= 0) this.connections.splice(index, 1);
  }

  /** A full socket is looked at again when it has drained. A poll has no socket of its own: its answer ends it. */
  hasRoom(connection: Connection): boolean {
    if (connection.transport.kind === 'poll') return true;
    return connection.hasRoom(PAGE_QUEUE_LIMIT, () => {
      if (this.has(connection)) this.#pacing.drained(connection);
    });
  }

  /** True if it is level with the stream and follows live from now on. */
  joinIfLevel(connection: Connection, cursor: number, messageFloor = 0): boolean {
    if (cursorOf(connection) !== cursor || !this.hasRoom(connection)) return false;
    this.join(connection, messageFloor);
    return true;
  }

  join(connection: Connection, messageFloor = 0): void {
    this.#followers.flush();
    this.remove(connection);
    connection.goLive(messageFloor);
    this.#followers.add(connection);
    this.#host.wentLive(connection);
  }
}

/** Null for one that is not catching up, and until it is known where it begins. */
export function cursorOf({ state }: Connection): number | null {
  return state.kind === 'catching_up' ? state.cursor : null;
}
