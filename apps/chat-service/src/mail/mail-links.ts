import { createHmac, randomBytes, type KeyObject } from 'node:crypto';
import type { Database } from '@chat-realtime/database';
import { ChatError, MAIL_LINK_SECONDS, type MailReturnResponse } from '@chat-realtime/protocol';
import { enforceRate, RateLimiter, rateLimitKey, secretsEqual } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import type { StorageContext } from '../storage/context.ts';
import { findSession } from '../storage/find-session.ts';
import { renderSession } from '../storage/render.ts';
import { translated } from '../storage/errors.ts';
import type { ChannelCredentials } from '../tokens/channel-credentials.ts';

const WRONG_CODES = 10;
const MINUTE = 60;

/** What the links in a mail carry: a way back into the chat, and a way out of the mail. */
export class MailLinks {
  readonly #database: Database;
  readonly #secret: string | KeyObject;
  readonly #wrong = new RateLimiter(WRONG_CODES, MINUTE);

  constructor(database: Database, secret: string | KeyObject) {
    this.#database = database;
    this.#secret = secret;
  }

  /** For one mail. It is behind the `#` of an address, so no server and no referrer gets it. */
  async newCode(sessionId: number): Promise<string> {
    const code = randomBytes(24).toString('base64url');
    await translated(async () => {
      await sql`DELETE FROM mail_link WHERE expires_at <= now()`.execute(this.#database.kysely);
      await sql`INSERT INTO mail_link (hash, session_id, expires_at) VALUES (${this.#hash(code)}, ${sessionId}::bigint,
        clock_timestamp() + make_interval(secs => ${MAIL_LINK_SECONDS}::float8))`.execute(this.#database.kysely);
    });
    return code;
  }

  /** Uses a code up. @throws ChatError `bad_credentials`, `rate_limited` */
  async redeem(
    code: string,
    ip: string,
    context: StorageContext,
    credentials: ChannelCredentials,
  ): Promise<MailReturnResponse> {
    const key = rateLimitKey(ip);
    const left = await this.#wrong.check(key);
    if (!left.ok) await enforceRate(this.#wrong, key);
    const asOf = credentials.now();
    const used = await translated(() =>
      sql<{
        session_id: number;
      }>`DELETE FROM mail_link WHERE hash = ${this.#hash(code)} AND expires_at > clock_timestamp()
        RETURNING session_id`.execute(this.#database.kysely),
    );
    const id = used.rows[0]?.session_id;
    const session = id === undefined ? null : await findSession(context, id);
    // The chat of a signed-in customer opens by who they are alone.
    if (session === null || session.customerId !== null) {
      await this.#wrong.consume(key);
      throw new ChatError('bad_credentials', 'the link is wrong, was used, or has ended');
    }
    return { session: renderSession(session), ...credentials.token(session, asOf) };
  }

  /** The part of a Message-ID before the `@`: nobody but who got the mail can name it. */
  messageName(mailId: number): string {
    const seal = createHmac('sha256', this.#secret).update(`mail-message\n${mailId}`).digest('hex').slice(0, 32);
    return `chat-mail-${mailId}.${seal}`;
  }

  /** The mail of such a name; undefined for a name that we did not give. */
  mailNamed(name: string): number | undefined {
    const [, id] = /^chat-mail-([1-9]\d{0,15})\./.exec(name) ?? [];
    return id !== undefined && secretsEqual(name, this.messageName(Number(id))) ? Number(id) : undefined;
  }

  unsubscribeToken(mailId: number): string {
    return `${mailId}.${createHmac('sha256', this.#secret).update(`mail-unsubscribe\n${mailId}`).digest('base64url')}`;
  }

  /** The mail a token is of. @throws ChatError 401 */
  mailOf(token: string | undefined): number {
    if (token === undefined) throw new ChatError('missing_credentials', 'sig is missing');
    const [, id] = /^([1-9]\d{0,15})\./.exec(token) ?? [];
    if (id === undefined || !secretsEqual(token, this.unsubscribeToken(Number(id))))
      throw new ChatError('bad_token', 'the link is not valid');
    return Number(id);
  }

  async unsubscribe(mailId: number): Promise<void> {
    await translated(() =>
      sql`INSERT INTO mail_refusal (address, reason) SELECT address, 'unsubscribed' FROM mail WHERE id = ${mailId}::bigint
        ON CONFLICT (address) DO UPDATE SET reason = 'unsubscribed'`.execute(this.#database.kysely),
    );
  }

  #hash(code: string): string {
    return createHmac('sha256', this.#secret).update(`mail-link\n${code}`).digest('base64url');
  }
}
