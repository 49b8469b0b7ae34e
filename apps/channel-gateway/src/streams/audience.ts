import type { Connection } from '../connections/connection.ts';
import { encodeFor, type OutFrame } from '../connections/encoding.ts';
import type { Transport } from '../connections/transport.ts';
import type { TransportKind } from '../core-metrics.ts';

/** Above this queue size an ephemeral frame is dropped. */
export const EPHEMERAL_QUEUE_LIMIT = 65_536;
/** Above this queue size a live connection is shed. It resumes when its reader is faster. */
export const SLOW_CONSUMER_BYTES = 1_048_576;

export interface AudienceHost {
  scheduleFlush(audience: Audience): void;
  /** Its socket did not accept everything at once. */
  noteBacklog(connection: Connection): void;
  shed(connection: Connection): void;
  /** A poll connection has its first events. */
  completePoll(connection: Connection): void;
}

interface EphemeralFrame {
  readonly frame: OutFrame;
  /** A user who does not receive their own typing. */
  readonly exceptUser: string | null;
}

const EMPTY = Buffer.alloc(0);

/** The bytes of one turn of the event loop: each encoding is made once, when the first connection needs it. */
class TurnBytes {
  readonly #durable: readonly OutFrame[];
  readonly #all: readonly OutFrame[];
  readonly #encodedAll = new Map<TransportKind, Buffer>();
  readonly #encodedDurable = new Map<TransportKind, Buffer>();

  constructor(durable: readonly OutFrame[], ephemeral: readonly OutFrame[]) {
    this.#durable = durable;
    this.#all = ephemeral.length === 0 ? durable : [...durable, ...ephemeral];
  }

  all(kind: TransportKind): Buffer {
    // A poll is answered only with events.
    if (kind === 'poll' || this.#all === this.#durable) return this.durable(kind);
    return encodeOnce(this.#encodedAll, kind, this.#all);
  }

  durable(kind: TransportKind): Buffer {
    return encodeOnce(this.#encodedDurable, kind, this.#durable);
  }
}

function encodeOnce(cache: Map<TransportKind, Buffer>, kind: TransportKind, frames: readonly OutFrame[]): Buffer {
  let bytes = cache.get(kind);
  if (bytes === undefined) {
    bytes = frames.length === 0 ? EMPTY : encodeFor(kind, frames);
    cache.set(kind, bytes);
  }
  return bytes;
}

/**
 * Live connections that get the same frames. What is due in one turn of the event loop leaves in one write per socket,
 * and all sockets get the same buffer: there is neither encoding nor allocation per connection.
 */
export class Audience {
  readonly members: Connection[] = [];
  /** The members' transports, in order: the hot loop accesses nothing else of a connection. */
  readonly #transports: Transport[] = [];
  /** Members that end with their first events, so that a flush need not search for them if there are none. */
  #polls = 0;
  #durable: OutFrame[] = [];
  #ephemeral: Map<string, EphemeralFrame> | null = null;
  readonly #host: AudienceHost;

  constructor(host: AudienceHost) {
    this.#host = host;
  }

  add(connection: Connection): void {
    this.members.push(connection);
    this.#transports.push(connection.transport);
    if (connection.transport.kind === 'poll') this.#polls += 1;
  }

  remove(connection: Connection): boolean {
    const index = this.members.indexOf(connection);
    if (index < 0) return false;
    if (connection.transport.kind === 'poll') this.#polls -= 1;
    removeAt(this.members, index);
    removeAt(this.#transports, index);
    return true;
  }

  get pending(): boolean {
    return this.#durable.length > 0 || this.#ephemeral !== null;
  }

  push(frame: OutFrame): void {
    if (this.members.length === 0) return;
    if (!this.pending) this.#host.scheduleFlush(this);
    this.#durable.push(frame);
  }

  pushEphemeral(key: string, frame: OutFrame, exceptUser: string | null = null): void {
    if (this.members.length === 0) return;
    if (!this.pending) this.#host.scheduleFlush(this);
    this.#ephemeral ??= new Map();
    this.#ephemeral.set(key, { frame, exceptUser });
  }

  /** A message makes the typing of its author stale: the later frame must not show it again. */
  dropEphemeral(key: string): void {
    this.#ephemeral?.delete(key);
  }

  flush(): void {
    if (!this.pending) return;
    const durable = this.#durable;
    const ephemeral = this.#ephemeral;
    this.#durable = [];
    this.#ephemeral = null;
    if (this.members.length === 0) return;
    const lossy = ephemeral === null ? [] : [...ephemeral.values()];
    const bytes = new TurnBytes(
      durable,
      lossy.map((entry) => entry.frame),
    );
    if (lossy.some((entry) => entry.exceptUser !== null)) this.#writeWithExceptions(bytes, durable, lossy);
    else this.#write(this.members, this.#transports, bytes);
    this.#finishPolls(durable);
  }

  /** The hot loop. A connection without a backlog costs one write, and only its transport is accessed. */
  #write(members: readonly Connection[], transports: readonly Transport[], bytes: TurnBytes): void {
    let slow: Connection[] | null = null;
    let kind: TransportKind | null = null;
    let all: Buffer = EMPTY;
    let index = -1;
    for (const transport of transports) {
      index += 1;
      if (transport.kind !== kind) {
        kind = transport.kind;
        all = bytes.all(kind);
      }
      const due = transport.queuedBytes > EPHEMERAL_QUEUE_LIMIT ? bytes.durable(kind) : all;
      if (due.length === 0) continue;
      const left = transport.write(due);
      if (left === 0) continue;
      const connection = members[index];
      if (connection === undefined) continue;
      this.#host.noteBacklog(connection);
      if (left > SLOW_CONSUMER_BYTES) {
        slow ??= [];
        slow.push(connection);
      }
    }
    // After the loop, since shedding takes a connection out of the list.
    if (slow !== null) for (const connection of slow) this.#host.shed(connection);
  }

  #writeWithExceptions(bytes: TurnBytes, durable: readonly OutFrame[], lossy: readonly EphemeralFrame[]): void {
    const byUser = new Map<string, Connection[]>();
    const others: Connection[] = [];
    for (const connection of this.members) {
      const userId = connection.principal?.kind === 'staff' ? connection.principal.userId : null;
      if (userId === null || !lossy.some((entry) => entry.exceptUser === userId)) others.push(connection);
      else byUser.set(userId, [...(byUser.get(userId) ?? []), connection]);
    }
    this.#write(others, transportsOf(others), bytes);
    for (const [userId, connections] of byUser) {
      const kept = lossy.filter((entry) => entry.exceptUser !== userId).map((entry) => entry.frame);
      this.#write(connections, transportsOf(connections), new TurnBytes(durable, kept));
    }
  }

  #finishPolls(durable: readonly OutFrame[]): void {
    if (this.#polls === 0 || durable.length === 0) return;
    for (const connection of this.members.filter((member) => member.transport.kind === 'poll')) {
      this.#host.completePoll(connection);
    }
  }
}

function transportsOf(connections: readonly Connection[]): Transport[] {
  return connections.map((connection) => connection.transport);
}

/** The last one takes its place: the order of members has no meaning. */
function removeAt<T>(list: T[], index: number): void {
  const last = list.pop();
  if (last !== undefined && index < list.length) list[index] = last;
}
