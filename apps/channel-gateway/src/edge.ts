import type { CloseReason } from '@chat-realtime/protocol';
import type { StaffPrincipal } from '@chat-realtime/verifier';
import type { Commands } from './commands.ts';
import type { Admission } from './connections/admission.ts';
import type { Connection } from './connections/connection.ts';
import type { Credentials } from './connections/credentials.ts';
import type { Deadlines } from './connections/deadlines.ts';
import type { StaggeredDisconnect } from './connections/staggered-disconnect.ts';
import type { Registry } from './connections/registry.ts';
import type { Transport } from './connections/transport.ts';
import type { CoreMetrics, TransportKind } from './core-metrics.ts';
import type { Acks } from './streams/acks.ts';

export interface EdgeParts {
  readonly registry: Registry;
  readonly admission: Admission;
  readonly commands: Commands;
  readonly acks: Acks;
  readonly deadlines: Deadlines;
  readonly disconnects: StaggeredDisconnect;
  readonly metrics: CoreMetrics;
  /** 0 = off. */
  readonly maxConnections: number;
  readonly isOverloaded: () => boolean;
}

/** The calls that transports may make to the core; they know nothing else of it. */
export class Edge {
  readonly #parts: EdgeParts;

  constructor(parts: EdgeParts) {
    this.#parts = parts;
  }

  /** A client has connected. Without credentials, its first frame must contain them. */
  open(transport: Transport, credentials: Credentials | null): Connection {
    const { registry, admission, metrics } = this.#parts;
    const connection = registry.open(transport);
    const refusal = this.#refusal(transport.kind);
    if (refusal !== null) {
      metrics.handshake(transport.kind, 'overload');
      registry.close(connection, refusal);
    } else if (credentials !== null) {
      void admission.admit(connection, credentials);
    }
    return connection;
  }

  /** A text frame from the client. */
  receive(connection: Connection, text: string): void {
    this.#parts.commands.receive(connection, text);
  }

  /** The peer sent a protocol ping; true if it may be answered. */
  pinged(connection: Connection): boolean {
    return this.#parts.commands.pinged(connection);
  }

  ponged(connection: Connection): void {
    this.#parts.deadlines.ponged(connection);
  }

  /** The transport received something that nobody may send. */
  close(connection: Connection, reason: CloseReason): void {
    this.#parts.registry.close(connection, reason);
  }

  /** The transport has ended, no matter which side closed it. */
  closed(connection: Connection, code: number): void {
    this.#parts.registry.closed(connection, code);
  }

  /** An ack that arrived by POST, not over a connection. */
  ackCustomer(sessionId: number, lastId: number): void {
    this.#parts.acks.customer(sessionId, lastId);
  }

  ackStaff(principal: StaffPrincipal, sessionId: number, lastId: number): void {
    this.#parts.acks.staff(principal, sessionId, lastId);
  }

  #refusal(kind: TransportKind): CloseReason | null {
    const { registry, disconnects, maxConnections, isOverloaded } = this.#parts;
    // A poll has no close frame that could ask it to come again at once.
    if (disconnects.draining) return kind === 'poll' ? 'service_restart' : 'try_again_later';
    if (maxConnections > 0 && registry.size > maxConnections) return 'try_again_later';
    // Refusing a poll costs as much as answering it, and would starve those who can only poll.
    return kind !== 'poll' && isOverloaded() ? 'try_again_later' : null;
  }
}
