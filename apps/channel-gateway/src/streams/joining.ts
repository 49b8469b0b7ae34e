import type { Connection } from '../connections/connection.ts';
import { PAGE_QUEUE_LIMIT, type StreamHost } from './stream-host.ts';

/** The live connections that share the bytes of a frame. */
export interface Followers {
  /** Sends their pending frames. */
  flush(): void;
  add(connection: Connection): void;
}

/** Continues with a connection whose socket was full and has drained. */
export interface Pacing {
  drained(connection: Connection): void;
}

/**
 * The connections that catch up with a stream, each from its own cursor. A session's connections share pages; staff
 * read pages or frames of their own; the rest is one rule. The socket paces them. A connection that has caught up joins
 * the live ones behind their pending frames, since it has had those.
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

  /** A full socket is checked again when it has drained. A poll has no socket of its own: its answer ends it. */
  hasRoom(connection: Connection): boolean {
    if (connection.transport.kind === 'poll') return true;
    return connection.hasRoom(PAGE_QUEUE_LIMIT, () => {
      if (this.has(connection)) this.#pacing.drained(connection);
    });
  }

  /** True if it has caught up with the stream and is live from now on. */
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

/** Null for one that is not catching up, and until its starting point is known. */
export function cursorOf({ state }: Connection): number | null {
  return state.kind === 'catching_up' ? state.cursor : null;
}
