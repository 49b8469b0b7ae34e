import type { KeyObject } from 'node:crypto';
import type { Database } from '@chat-realtime/database';
import {
  type Attachment,
  ChatError,
  type Message,
  type TelegramCustomerAction,
  type TelegramUser,
  type TelegramWriteResponse,
} from '@chat-realtime/protocol';
import type { Readable } from 'node:stream';
import { sql } from 'kysely';
import type { Attachments } from '../attachments/attachments.ts';
import { requireAllowed } from '../bans/require-not-banned.ts';
import type { StorageContext } from '../storage/context.ts';
import { markRead } from '../messages/marks.ts';
import { postMessage } from '../messages/messages.ts';
import { history } from '../messages/history.ts';
import { createSession } from '../sessions/sessions.ts';
import type { RequestRates } from '../http/rates.ts';
import { translated } from '../storage/errors.ts';
import { resumeKeyOf } from './codes.ts';

/** Of what was missed elsewhere, the customer gets at most so much as they come over, and hears that there is more. */
const MISSED_MAX = 50;
const PAGE = 100;
/** So far it is read through what they wrote themselves. */
const PAGES = 20;

export interface CustomerFile {
  readonly name: string;
  readonly content: Readable;
  readonly declaredBytes: number | undefined;
}

/** Customers who write from Telegram: their chat is a session like any other. */
export class TelegramCustomers {
  readonly #database: Database;
  readonly #context: StorageContext;
  readonly #attachments: Attachments;
  readonly #rates: RequestRates;
  readonly #secret: string | KeyObject;

  constructor(
    database: Database,
    context: StorageContext,
    attachments: Attachments,
    rates: RequestRates,
    secret: string | KeyObject,
  ) {
    this.#database = database;
    this.#context = context;
    this.#attachments = attachments;
    this.#rates = rates;
    this.#secret = secret;
  }

  async write(action: TelegramCustomerAction): Promise<TelegramWriteResponse> {
    const { sessionId, created } = await this.#session(action.user, action.client_message_id);
    const actor = { kind: 'customer', sessionId } as const;
    await this.#rates.message(actor);
    if (action.read_id !== undefined) await markRead(this.#context, actor, sessionId, action.read_id);
    const { message } = await postMessage(this.#context, actor, sessionId, {
      body: action.body,
      clientMessageId: action.client_message_id,
      attachments: action.attachments,
    });
    return { session_id: sessionId, created, message };
  }

  /** `clientMessageId`: of the message that will carry the file. */
  async upload(user: TelegramUser, clientMessageId: string, file: CustomerFile): Promise<Attachment> {
    const { sessionId } = await this.#session(user, clientMessageId);
    await this.#rates.upload({ kind: 'customer', sessionId });
    await requireAllowed(this.#database, sessionId, null);
    return this.#attachments.upload({ sessionId, participant: 'client', clientIp: null, ...file });
  }

  /**
   * The messages to the customer up to `untilId` that have reached none of their connections yet. Later ones are sent
   * to the account as they come.
   */
  async missed(sessionId: number, untilId: number): Promise<{ messages: Message[]; isPart: boolean }> {
    const mark = await translated(() =>
      this.#database.kysely
        .selectFrom('chat_read_mark')
        .select(['delivered_id', 'read_id'])
        .where('session_id', '=', sessionId)
        .where('participant', '=', 'client')
        .executeTakeFirst(),
    );
    const after = Math.max(mark?.delivered_id ?? 0, mark?.read_id ?? 0);
    const missed: Message[] = [];
    let beforeId = untilId + 1;
    let isWhole = false;
    for (let page = 0; page < PAGES && missed.length <= MISSED_MAX; page += 1) {
      const { messages, has_more: hasMore } = await history(this.#context, { kind: 'customer', sessionId }, sessionId, {
        beforeId,
        limit: PAGE,
      });
      missed.unshift(...messages.filter(({ id, sender_type: sender }) => id > after && sender !== 'client'));
      const [first] = messages;
      isWhole = !hasMore || first === undefined || first.id <= after;
      if (isWhole || first === undefined) break;
      beforeId = first.id;
    }
    return { messages: missed.slice(-MISSED_MAX), isPart: !isWhole || missed.length > MISSED_MAX };
  }

  /** The chat of this account, or a new one, which a repeat of the same message finds again. */
  async #session(user: TelegramUser, clientMessageId: string): Promise<{ sessionId: number; created: boolean }> {
    const known = await this.#linked(user.id);
    if (known !== undefined) return { sessionId: known, created: false };
    const staff = await translated(() =>
      this.#database.kysely
        .selectFrom('operator_telegram')
        .select('id')
        .where('telegram_user_id', '=', user.id)
        .executeTakeFirst(),
    );
    if (staff !== undefined) throw new ChatError('forbidden', "an operator's account is nobody's customer");
    const { session } = await createSession(this.#context, {
      name: user.name,
      locale: user.locale,
      attributes: { source: 'telegram' },
      resumeKey: resumeKeyOf(this.#secret, user.id, clientMessageId),
    });
    await translated(() =>
      sql`INSERT INTO customer_telegram (session_id, telegram_user_id, locale) VALUES (${session.id}::bigint, ${user.id}::bigint, ${user.locale})
        ON CONFLICT DO NOTHING`.execute(this.#database.kysely),
    );
    return { sessionId: (await this.#linked(user.id)) ?? session.id, created: true };
  }

  async #linked(telegramUserId: number): Promise<number | undefined> {
    const row = await translated(() =>
      this.#database.kysely
        .selectFrom('customer_telegram')
        .select('session_id')
        .where('telegram_user_id', '=', telegramUserId)
        .executeTakeFirst(),
    );
    return row?.session_id;
  }
}
