import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** A statement with a fixed text. PostgreSQL prepares it once per connection under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/**
 * A connection of its own, for advisory locks that last longer than a transaction: the lock is held exactly as long as
 * this connection lives, so work done through it proves at the same time that the lock is still ours.
 */
export interface DedicatedSession {
  /** Never waits: false when another session has the lock. */
  tryLock(key: number): Promise<boolean>;
  unlock(key: number): Promise<void>;
  query<R>(statement: Statement, values?: readonly unknown[]): Promise<R[]>;
  /** Rejects when the connection is gone, and with it every lock. */
  ping(): Promise<void>;
  /** Called once, when the connection is lost without `release`. */
  onLost(listener: (reason: Error) => void): void;
  /**
   * Calls the listener at each NOTIFY on the channel, for as long as the connection lives. A hint: it may be missed.
   */
  listen(channel: string, listener: () => void): Promise<void>;
  release(): Promise<void>;
}

export interface SessionOptions {
  /**
   * The server ends the session, and frees its locks, when it has heard nothing for this long, as from a process that
   * is stopped or cut off while its connection stays open. The session pings by itself, several times within that.
   */
  readonly silenceMs?: number;
  /**
   * Reads by index if there is one. A plan is cached, and one made while a table was small may read all of it when it
   * has grown. PGlite, whose only connection serves everybody, ignores this.
   */
  readonly readsByIndex?: boolean;
}

/** An open transaction, as passed to everything that takes part in it. */
export type DatabaseTransaction = Transaction<Tables>;

export interface Database {
  readonly kind: 'postgres' | 'pglite';
  readonly kysely: Kysely<Tables>;
  /** Settings that decide what a power cut may cost, to be said at start. */
  readonly settings: { readonly version: string; readonly synchronousCommit: string; readonly fsync: string };
  /** One round trip for the hot statements, outside any transaction of ours. */
  query<R>(statement: Statement, values?: readonly unknown[]): Promise<R[]>;
  acquireSession(options?: SessionOptions): Promise<DedicatedSession>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface DatabaseLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface OpenOptions {
  /** Past a pooler, to PostgreSQL itself: for locks, migrations and LISTEN. Default: the url given. */
  readonly directUrl?: string | undefined;
  /** Connections to PostgreSQL for ordinary work; dedicated sessions come on top. Default 10. */
  readonly poolSize?: number;
  readonly applicationName?: string;
  /**
   * False: nothing is changed by opening, and a schema that lacks something is refused. Default true: it is brought up
   * to date.
   */
  readonly migrate?: boolean;
  /** Refuses a server that would not keep what it confirmed through a power cut; else only the log says so. */
  readonly durable?: boolean;
  readonly logger?: DatabaseLog;
}

/**
 * The database cannot be used as it is. The text says what to change, the code names the case for programs that read
 * logs.
 */
export class DatabaseStartError extends Error {
  override readonly name: string = 'DatabaseStartError';
  readonly code: string;

  constructor(
    message: string,
    { code = 'database_not_usable', ...options }: ErrorOptions & { readonly code?: string } = {},
  ) {
    super(message, options);
    this.code = code;
  }
}
