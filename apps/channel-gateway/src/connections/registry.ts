import type { Leases } from '@chat-realtime/messaging';
import { AUTH_DEADLINE_MS, CLOSE_CODES, type CloseReason, type ControlFrame } from '@chat-realtime/protocol';
import type { Clock } from '../clock.ts';
import type { CoreMetrics } from '../core-metrics.ts';
import { type CoreLogger, quietly } from '../ports.ts';
import { Backlog } from './backlog.ts';
import { Connection } from './connection.ts';
import { encodeFor, jsonFrame, type OutFrame } from './encoding.ts';
import type { Transport } from './transport.ts';

/** How long a closed connection's peer may take to answer before its socket is destroyed. */
const CLOSE_DEADLINE_MS = 5_000;

export interface RegistryOptions {
  readonly clock: Clock;
  readonly leases: Leases;
  readonly metrics: CoreMetrics;
  readonly logger: CoreLogger;
  readonly frameBurst: number;
  /** It gets no more frames of its stream. */
  readonly detach: (connection: Connection, now: number) => void;
  /** It has ended; called once, after `detach`. */
  readonly left: (connection: Connection, now: number) => void;
}

/** All connections of this gateway, with their slots and queues. It does not know which streams they follow. */
export class Registry {
  readonly #connections = new Map<string, Connection>();
  readonly #backlog = new Backlog();
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#connections.size;
  }

  get queuedBytes(): number {
    return this.#backlog.queuedBytes;
  }

  get(id: string): Connection | undefined {
    return this.#connections.get(id);
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#connections.values();
  }

  open(transport: Transport): Connection {
    const now = this.#options.clock.now();
    const connection = new Connection(transport, {
      now,
      authDeadline: now + AUTH_DEADLINE_MS,
      frameBurst: this.#options.frameBurst,
    });
    this.#connections.set(connection.id, connection);
    return connection;
  }

  /** Any fault in handling something for a connection ends only this connection. */
  guard(connection: Connection, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.failed(connection, error);
    }
  }

  failed(connection: Connection, error: unknown): void {
    this.#options.logger.error({ err: error, connection_id: connection.id }, 'a connection failed');
    this.close(connection, 'internal_error');
  }

  close(connection: Connection, reason: CloseReason): void {
    if (connection.isOver) return;
    this.#end(connection);
    connection.beginClosing(this.#options.clock.now() + CLOSE_DEADLINE_MS);
    this.#options.metrics.disconnected(connection.transport.kind, CLOSE_CODES[reason].code);
    connection.transport.close(reason);
  }

  /** The transport has ended, no matter which side closed it. */
  closed(connection: Connection, code: number): void {
    const { kind } = connection.state;
    if (kind === 'closed') return;
    if (kind !== 'closing') {
      this.#end(connection);
      this.#options.metrics.disconnected(connection.transport.kind, code);
    }
    connection.end();
    this.#connections.delete(connection.id);
  }

  closeAll(reason: CloseReason, which: (connection: Connection) => boolean = () => true): void {
    for (const connection of [...this.#connections.values()]) if (which(connection)) this.close(connection, reason);
  }

  /** It reads too slowly. It resumes when its reader is faster. */
  shed(connection: Connection): void {
    this.#options.metrics.slowConsumer();
    const queued = connection.transport.queuedBytes;
    this.#options.logger.info({ connection_id: connection.id, queued }, 'slow consumer');
    this.close(connection, 'slow_consumer');
  }

  /** It stays open until its moment and gets no more frames of its stream. */
  takeOut(connection: Connection): void {
    this.#options.detach(connection, this.#options.clock.now());
    connection.leave();
  }

  write(connection: Connection, bytes: Buffer): void {
    if (connection.transport.write(bytes) > 0) this.noteBacklog(connection);
  }

  send(connection: Connection, frame: ControlFrame): void {
    this.sendFrame(connection, jsonFrame(frame));
  }

  sendFrame(connection: Connection, frame: OutFrame): void {
    if (connection.transport.kind === 'poll') return;
    this.write(connection, encodeFor(connection.transport.kind, [frame]));
  }

  /** To every connection that has received `channel.ready`. */
  sendToAll(frame: OutFrame): void {
    for (const connection of this.#connections.values()) if (connection.isReadySent) this.sendFrame(connection, frame);
  }

  noteBacklog(connection: Connection): void {
    this.#backlog.note(connection, this.#options.clock.now());
  }

  shedSlow(now: number): void {
    for (const connection of this.#backlog.check(now)) this.shed(connection);
  }

  async setStale(connection: Connection, stale: boolean): Promise<void> {
    if (connection.leaseKey === null) return;
    const { leases, logger } = this.#options;
    await quietly(logger, 'lease', leases.setStale(connection.leaseKey, connection.id, stale));
  }

  async releaseLease(key: string, connectionId: string): Promise<void> {
    await quietly(this.#options.logger, 'lease', this.#options.leases.release(key, connectionId));
  }

  #end(connection: Connection): void {
    const now = this.#options.clock.now();
    this.#backlog.forget(connection);
    this.#options.detach(connection, now);
    this.#options.left(connection, now);
    const key = connection.giveUpLease();
    if (key !== null) void this.releaseLease(key, connection.id);
  }
}
