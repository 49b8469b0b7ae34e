import { createHash } from 'node:crypto';
import type { Database } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { enforceRate, RateLimiter, rateLimitKey } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import type { Actor } from '../actors.ts';
import type { SessionRecord } from '../storage/session-record.ts';
import { translated } from '../storage/errors.ts';

const HOUR_SECONDS = 3_600;
/** A visitor may send a mail to any address: these are too few to be of use to someone who wants to annoy. */
const CUSTOMER_TRANSCRIPTS = 3;
const STAFF_TRANSCRIPTS = 60;
const PER_ADDRESS = 5;

export function normalAddress(address: string): string {
  return address.trim().toLowerCase();
}

/** Mail on request: transcripts. */
export class MailQueue {
  readonly #database: Database;
  readonly #sends: boolean;
  readonly #bySession = new RateLimiter(CUSTOMER_TRANSCRIPTS, HOUR_SECONDS);
  readonly #byStaff = new RateLimiter(STAFF_TRANSCRIPTS, HOUR_SECONDS);
  readonly #byVisitor = new RateLimiter(CUSTOMER_TRANSCRIPTS, HOUR_SECONDS);
  readonly #byAddress = new RateLimiter(PER_ADDRESS, HOUR_SECONDS);

  /** `sends`: there is a server that accepts mail. */
  constructor(database: Database, sends: boolean) {
    this.#database = database;
    this.#sends = sends;
  }

  /** The whole chat up to now, to an address. @throws ChatError `mail_off`, `rate_limited` */
  async transcript(actor: Actor, session: SessionRecord, email: string, ip: string): Promise<void> {
    if (!this.#sends) throw new ChatError('mail_off', 'this chat sends no mail');
    const address = normalAddress(email);
    if (actor.kind === 'customer') {
      await enforceRate(this.#bySession, String(session.id));
      await enforceRate(this.#byVisitor, rateLimitKey(ip));
    } else await enforceRate(this.#byStaff, actor.userId);
    await enforceRate(this.#byAddress, address);
    // The same chat at the same state to the same address within a minute is one wish that was sent twice.
    const minute = Math.floor(Date.now() / 60_000);
    const cause = createHash('sha256').update(`${address}\n${session.lastSeq}\n${minute}`).digest('hex');
    await translated(() =>
      sql`INSERT INTO mail (kind, dedupe_key, session_id, address, locale, through_id)
        SELECT 'transcript', ${`transcript:${session.id}:${cause}`}, ${session.id}::bigint, ${address}, ${session.locale}, ${session.lastMessageId}::bigint
        WHERE NOT EXISTS (SELECT 1 FROM mail_refusal r WHERE r.address = ${address} AND r.reason = 'bounced')
        ON CONFLICT (dedupe_key) DO NOTHING`.execute(this.#database.kysely),
    );
  }
}
