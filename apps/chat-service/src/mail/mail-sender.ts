import type { Database } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { createTransport } from 'nodemailer';
import type { ChatLog } from '../ports.ts';
import { judgeMail, oweReplies } from './mail-verdict.ts';
import type { MailRow, MailWriter } from './mail-writer.ts';
import { mailFailure } from './smtp-failures.ts';

/** Mails sent at the same time. */
const AT_ONCE = 4;
const GIVE_UP_SECONDS = 2 * 86_400;
const FIRST_DELAY_SECONDS = 15;
const MAX_DELAY_SECONDS = 3_600;
const CONNECT_MS = 10_000;
const SOCKET_MS = 60_000;

export type MailOutcome = 'sent' | 'failed' | 'given_up' | 'not_needed';

export interface MailSenderParts {
  readonly database: Database;
  readonly writer: Pick<MailWriter, 'write'>;
  readonly smtpUrl: string;
  readonly log: ChatLog;
  readonly ended: (outcome: MailOutcome) => void;
  /** A mail is sent again although the server may have it. */
  readonly ambiguous: () => void;
}

/** Sends mail. Runs on the relay leader only. */
export class MailSender {
  readonly #parts: MailSenderParts;
  readonly #transport: ReturnType<typeof createTransport>;
  readonly #running = new Map<number, Promise<void>>();
  #stopped = false;

  constructor(parts: MailSenderParts) {
    this.#parts = parts;
    const options = { pool: true, maxConnections: AT_ONCE, connectionTimeout: CONNECT_MS, socketTimeout: SOCKET_MS };
    this.#transport = createTransport({ url: parts.smtpUrl, ...options });
  }

  /** Starts what is due without waiting for it. */
  async startDue(): Promise<void> {
    if (this.#stopped || this.#running.size >= AT_ONCE) return;
    for (const row of await this.#due(AT_ONCE - this.#running.size)) {
      const done = this.#send(row)
        .catch((error: unknown) => {
          this.#parts.log.warn({ mail: row.id, error: text(error) }, 'a mail could not be handled; it will be retried');
          return this.#postpone(row);
        })
        .catch((error: unknown) => {
          const failure = { mail: row.id, error: text(error) };
          this.#parts.log.warn(failure, 'that a mail is tried later could not be written down');
        })
        .finally(() => this.#running.delete(row.id));
      this.#running.set(row.id, done);
    }
  }

  /** Resolves when nothing is under way, and begins nothing more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running.values());
    this.#transport.close();
  }

  async #due(limit: number): Promise<readonly MailRow[]> {
    let query = this.#parts.database.kysely
      .selectFrom('mail')
      .selectAll()
      .where('sent_at', 'is', null)
      .where('failed_at', 'is', null)
      .where('next_attempt_at', '<=', sql<Date>`clock_timestamp()`)
      // New mails before those that failed before.
      .orderBy('attempts')
      .orderBy('id')
      .limit(limit);
    if (this.#running.size > 0) query = query.where('id', 'not in', [...this.#running.keys()]);
    return query.execute();
  }

  async #send(row: MailRow): Promise<void> {
    const { database, writer, ended, ambiguous, log } = this.#parts;
    const verdict = await judgeMail(database, row);
    const message =
      verdict.kind === 'drop'
        ? null
        : await writer.write({ ...row, after_id: verdict.afterId }).catch((error: unknown) => {
            // The chat is gone, and with it what there was to say.
            if (error instanceof ChatError && error.code === 'session_not_found') return null;
            throw error;
          });
    if (message === null) {
      if (verdict.kind === 'drop' && verdict.isOwed) await oweReplies(database, [row.id]);
      ended('not_needed');
      await this.#record(row, { failed_at: new Date(), last_error: 'not_needed', sending_at: null });
      return;
    }
    // Still set from before: a process ended, or a connection, while the server had it. Counted, since it may come
    // twice.
    if (row.sending_at !== null) ambiguous();
    await this.#record(row, { sending_at: new Date() });
    try {
      await this.#transport.sendMail(message);
    } catch (error) {
      await this.#failed(row, error);
      return;
    }
    ended('sent');
    await this.#record(row, { sent_at: new Date(), sending_at: null, last_error: null, attempts: row.attempts + 1 });
    log.debug({ mail: row.id, kind: row.kind }, 'a mail was sent');
  }

  /** This mail or our code is broken: the mail must neither block the others nor be retried forever. */
  async #postpone(row: MailRow): Promise<void> {
    const attempts = row.attempts + 1;
    const givesUp = isLate(row);
    this.#parts.ended(givesUp ? 'given_up' : 'failed');
    await this.#record(row, {
      attempts,
      last_error: 'internal',
      ...(givesUp ? { failed_at: new Date() } : later(attempts)),
    });
  }

  async #failed(row: MailRow, error: unknown): Promise<void> {
    const { database, log, ended } = this.#parts;
    const failure = mailFailure(error);
    const attempts = row.attempts + 1;
    const givesUp = failure.kind === 'final' || isLate(row);
    ended(givesUp ? 'given_up' : 'failed');
    log.warn(
      { mail: row.id, attempts, kind: failure.kind, reason: failure.reason, gives_up: givesUp },
      'mail not sent',
    );
    if (failure.kind === 'final' && failure.isBadAddress) {
      await database.kysely
        .insertInto('mail_refusal')
        .values({ address: row.address, reason: 'bounced' })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      await oweReplies(database, [row.id]);
    }
    await this.#record(row, {
      attempts,
      last_error: failure.reason,
      ...(failure.kind === 'ambiguous' ? {} : { sending_at: null }),
      ...(givesUp ? { failed_at: new Date() } : later(attempts)),
    });
  }

  async #record(row: MailRow, changes: Partial<Omit<MailRow, 'id'>>): Promise<void> {
    await this.#parts.database.kysely.updateTable('mail').set(changes).where('id', '=', row.id).execute();
  }
}

const isLate = ({ created_at: at }: MailRow): boolean => Date.now() - at.getTime() > GIVE_UP_SECONDS * 1_000;

function later(attempts: number): { next_attempt_at: Date } {
  const delay = Math.min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** Math.min(attempts - 1, 10));
  return { next_attempt_at: new Date(Date.now() + delay * 1_000) };
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
