import type { Pauses } from './pace.ts';

/** A plain event, as every source passes it to the intake. */
export interface PlainEvent {
  readonly type: string;
  /** The site's id: a positive whole number below 2^53 stays what it is. */
  readonly session_id: number | string;
  readonly data: Readonly<Record<string, unknown>>;
  /** What distinguishes it from a repeat. Without one, its type with the id in its data does. */
  readonly message_id?: string;
  readonly occurred_at?: string;
}

export interface Taken {
  readonly accepted: number;
  readonly duplicate: number;
  /** They are not offered again. */
  readonly refused: readonly Refused[];
}

export interface Refused {
  /** The index among the given events. */
  readonly index: number;
  readonly path: string;
  readonly message: string;
}

export type SourceName = 'table' | 'backfill';

/** Stores events, each once and in this order. Rejects if none of them can be stored now. */
export interface Intake {
  take(events: readonly PlainEvent[], source: SourceName): Promise<Taken>;
}

/** A session's state in the ledger. */
export interface KnownSession {
  readonly status: string;
  readonly assigned: string | null;
}

export interface Ledger {
  /** Those of these sessions that the ledger has, by the site's id. */
  sessions(ids: readonly string[]): Promise<ReadonlyMap<string, KnownSession>>;
  /** Those of these messages that the ledger does not have, the same objects in the same order. */
  unknown(messages: readonly PlainEvent[]): Promise<PlainEvent[]>;
}

/** Where refused events are kept for people to examine. */
export interface DeadLetters {
  put(event: PlainEvent, reason: string): Promise<void>;
}

/** The progress of a copy, kept across restarts. */
export interface Places {
  read(name: string): Promise<string | null>;
  write(name: string, place: string): Promise<void>;
  /** Writes if nothing is stored yet: of several at once the first counts. */
  writeFirst(name: string, place: string): Promise<void>;
  clear(name: string): Promise<void>;
  /** Keys that begin with this text. */
  names(prefix: string): Promise<string[]>;
}

export type OutboxKind = 'session' | 'message' | 'status' | 'assigned';

/** A row that a trigger recorded, in the site's own transaction. */
export interface OutboxRow {
  /** The primary key, for deleting it. */
  readonly key: string;
  readonly messageId: string;
  readonly kind: OutboxKind;
  readonly rowId: string;
  readonly sessionId: string;
  readonly value: string | null;
  readonly previous: string | null;
  readonly notedAt: string;
}

/** A row of the site, its columns as text. */
export interface SessionRow {
  readonly id: string;
  readonly createdAt: string | null;
  readonly status: string | null;
  readonly assigned: string | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
}

export interface MessageRow {
  readonly id: string;
  readonly session: string;
  /** At most one character more than may be carried. */
  readonly body: string | null;
  readonly createdAt: string | null;
  readonly sender: string | null;
  readonly senderId: string | null;
  readonly senderName: string | null;
  readonly fileUrl: string | null;
  readonly fileName: string | null;
  /** The columns of `only`, in its order. */
  readonly only: readonly (string | null)[];
}

export interface OutboxState {
  /** Counted up to a limit. */
  readonly rows: number;
  readonly oldestSeconds: number;
}

/** The outbox does not exist, is another table, or may not be read: what the triggers record does not arrive. */
export class OutboxLostError extends Error {
  override readonly name = 'OutboxLostError';
  readonly code = 'table_source_outbox_lost';
}

/** The site's database as the follower uses it: it reads, and deletes only from the outbox. */
export interface SiteDatabase {
  /** @throws TableSourceConfigError with every table and column that does not exist. */
  check(): Promise<void>;
  /** What is visible now, oldest first. @throws OutboxLostError */
  readOutbox(limit: number): Promise<OutboxRow[]>;
  deleteOutbox(rows: readonly OutboxRow[]): Promise<void>;
  outboxState(): Promise<OutboxState>;
  sessions(ids: readonly string[]): Promise<SessionRow[]>;
  messages(ids: readonly string[]): Promise<MessageRow[]>;
  /** The next rows by primary key. */
  sessionsAfter(id: string | null, limit: number): Promise<SessionRow[]>;
  messagesAfter(id: string | null, limit: number): Promise<MessageRow[]>;
  /** Those with the highest primary keys, ascending. */
  newestSessions(limit: number): Promise<SessionRow[]>;
  newestMessages(limit: number): Promise<MessageRow[]>;
  messagesOfSession(session: string, after: string | null, limit: number): Promise<MessageRow[]>;
  operatorNames(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** The meaning of a column without a zone. */
  zoneOf(table: 'sessions' | 'messages'): string;
  close(): Promise<void>;
}

export interface SiteConnection {
  /** `wake` is called when the site has committed something, as far as its database can notify. */
  connect(wake: () => void): Promise<SiteDatabase>;
  /** How long it may sleep without a wake-up. */
  readonly pauses: Pauses;
}

export interface SourceLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
