import type { Database } from '@chat-realtime/database';
import { type StaffEvent, staffEventSchema } from '@chat-realtime/protocol';
import type { Logger } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import { isOfTheData } from '../domain/faults.ts';
import type { FeedPage, FeedSource, StaffFrames } from '../ports.ts';
import type { NewSend, SendStore } from '../storage/sends.ts';

/** The head of the feed is compared with what was read, whatever the live frames show. */
const HEAD_CHECK_MS = 60_000;
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 15_000;
/** An event that the database refuses this often is skipped, since all recipients wait behind it. */
const ATTEMPTS = 4;

/** The messages of an event, with their recipients. */
export type SendsFor = (event: StaffEvent, db: Database['kysely']) => Promise<NewSend[]>;

export interface FeedReaderParts {
  readonly database: Database;
  readonly source: FeedSource;
  readonly frames: StaffFrames;
  readonly sends: SendStore;
  readonly sendsFor: SendsFor;
  readonly logger: Logger;
  /** Events were processed: messages may have been added. */
  readonly added: () => void;
  /** An event was skipped. */
  readonly leftOut: () => void;
  readonly headCheckMs?: number;
  readonly retryMs?: number;
}

/**
 * Turns each event of the staff feed into messages, once and in feed order. The feed is dense, so one number says what
 * was read; it moves in the transaction that adds the messages. A live frame is used if its number is the next one.
 * Otherwise, and once a minute in any case, the feed itself is read.
 */
export class FeedReader {
  readonly #parts: FeedReaderParts;
  /** Work runs in order: two events must not be processed at once. */
  #queue: Promise<void> = Promise.resolve();
  #cursor: number | undefined;
  #wanted = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #retryMs: number;
  /** How often the next event was tried without success. */
  #attempts = 0;

  constructor(parts: FeedReaderParts) {
    this.#parts = parts;
    this.#retryMs = parts.retryMs ?? RETRY_MS;
  }

  start(): void {
    const { frames } = this.#parts;
    frames.start(
      (frame) => this.#enqueue(() => this.#live(frame)),
      () => this.check(),
    );
    this.check();
  }

  /** Reads the feed from where the last read ended. */
  check(): void {
    if (this.#stopped || this.#wanted) return;
    this.#wanted = true;
    void this.#enqueue(() => this.#catchUp());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#parts.frames.stop();
    await this.#queue;
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(async () => {
      if (!this.#stopped) await work();
    });
    this.#queue = done.catch((error: unknown) => {
      this.#parts.logger.warn({ err: error }, 'the staff feed could not be passed on; it will be retried');
      this.#again(this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    });
    return this.#queue;
  }

  #again(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.check(), ms);
  }

  async #live(frame: string): Promise<void> {
    const event = parseFrame(frame);
    // A type of a later version, or a frame without numbers: the feed has it.
    if (event === null || event.feed_seq === undefined || this.#cursor === undefined) return this.#catchUp();
    if (event.feed_seq <= this.#cursor) return;
    if (event.feed_seq > this.#cursor + 1) return this.#catchUp();
    await this.#add([event], event.feed_seq);
  }

  async #catchUp(): Promise<void> {
    this.#wanted = false;
    const { source, logger } = this.#parts;
    this.#cursor ??= await this.#stored();
    for (;;) {
      const page: FeedPage = await source.feed(this.#cursor);
      if (this.#cursor === undefined || page.reset) {
        if (page.reset) logger.warn({}, 'the feed is of another database: relaying begins at its head');
        await this.#begin(page.cursor);
        break;
      }
      await this.#add(page.events, page.cursor);
      if (!page.hasMore || this.#stopped) break;
    }
    this.#retryMs = this.#parts.retryMs ?? RETRY_MS;
    this.#again(this.#parts.headCheckMs ?? HEAD_CHECK_MS);
  }

  async #add(events: readonly StaffEvent[], cursor: number): Promise<void> {
    try {
      // One by one after a failure, to find the event that causes it.
      if (this.#attempts > 0) for (const event of events) await this.#addOne(event);
      await this.#addAll(
        events.filter(({ feed_seq: number }) => this.#attempts === 0 || number === undefined),
        cursor,
      );
    } catch (error) {
      // A temporary failure of the database is not the fault of the events.
      if (isOfTheData(error)) this.#attempts += 1;
      throw error;
    }
    this.#attempts = 0;
  }

  async #addOne(event: StaffEvent): Promise<void> {
    const { feed_seq: number } = event;
    if (number === undefined) return;
    try {
      await this.#addAll([event], number);
    } catch (error) {
      if (this.#attempts < ATTEMPTS || !isOfTheData(error)) throw error;
      await this.#addAll([], number);
      const { session_id: sessionId, seq, type } = event;
      this.#parts.logger.error(
        { err: error, session_id: sessionId, seq, feed_seq: number, type },
        'an event cannot be sent to Telegram and is skipped; the console shows it',
      );
      this.#parts.leftOut();
    }
    this.#attempts = 1;
  }

  async #addAll(events: readonly StaffEvent[], cursor: number): Promise<void> {
    const { database, sends, sendsFor, added } = this.#parts;
    if (cursor <= (this.#cursor ?? 0)) return;
    const committed = await database.kysely.transaction().execute(async (trx) => {
      const moved =
        await sql`UPDATE telegram_relay SET feed_seq = ${cursor}::bigint WHERE feed_seq = ${this.#cursor ?? 0}::bigint RETURNING 1 AS one`.execute(
          trx,
        );
      // Another process was first: the rest is read next.
      if (moved.rows.length === 0) return null;
      for (const event of events) {
        if (event.type === 'chat.erased' && event.session_id !== null)
          await sends.dropErased(event.session_id, event.data, trx);
        await sends.add(await sendsFor(event, trx), trx);
      }
      return true;
    });
    this.#cursor = committed === null ? await this.#stored() : cursor;
    if (committed !== null) added();
  }

  async #stored(): Promise<number | undefined> {
    const result = await sql<{ feed_seq: number }>`SELECT feed_seq FROM telegram_relay`.execute(
      this.#parts.database.kysely,
    );
    const [row] = result.rows;
    return row === undefined ? undefined : Number(row.feed_seq);
  }

  /** The first start, and the first after a restore: earlier events are in the console. */
  async #begin(cursor: number): Promise<void> {
    await sql`INSERT INTO telegram_relay (feed_seq) VALUES (${cursor}::bigint)
      ON CONFLICT (only_one) DO UPDATE SET feed_seq = EXCLUDED.feed_seq`.execute(this.#parts.database.kysely);
    this.#cursor = cursor;
  }
}

function parseFrame(frame: string): StaffEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const event = staffEventSchema.safeParse(value);
  return event.success ? event.data : null;
}
