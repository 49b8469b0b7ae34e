import type { KeyObject } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Database } from '@chat-realtime/database';
import {
  type Attachment,
  ChatError,
  OPEN_CALLBACK_STATUSES,
  type StaffSession,
  type TelegramActRequest,
  type TelegramActResponse,
  type TelegramBlockedRequest,
  type TelegramBotRequest,
  type TelegramCustomerAction,
  type TelegramRedeemRequest,
  type TelegramRedeemResponse,
  type TelegramSession,
  type TelegramStaffAction,
  type TelegramUser,
  type TelegramWriteResponse,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { Attachments, StoredAttachmentFile } from '../attachments/attachments.ts';
import { listCallbacks } from '../callbacks/callback-list.ts';
import type { Callbacks } from '../callbacks/callbacks.ts';
import type { Directory } from '../http/actor-interceptor.ts';
import { requireOurs, type StorageContext } from '../storage/context.ts';
import { requireVisibleSession } from '../storage/visible-session.ts';
import { postMessage } from '../messages/messages.ts';
import { assign, close, reopen } from '../lifecycle/assignment.ts';
import { markRead } from '../messages/marks.ts';
import { listSessions } from '../sessions/inbox.ts';
import { chooseStatus, operatorStatus } from '../operators/operator-status.ts';
import { changeSession } from '../storage/unit-of-work.ts';
import { participantOf, type StaffActor } from '../actors.ts';
import type { RequestRates } from '../http/rates.ts';
import { requireVisible } from '../storage/visibility.ts';
import { TelegramAccounts } from './accounts.ts';
import { TelegramCustomers } from './customers.ts';

/** How many rows `/open`, `/mine` and `/callbacks` show: a list on a phone. */
const LIST_MAX = 20;
const OPEN_CALLBACKS = OPEN_CALLBACK_STATUSES.join(',');

export interface TelegramFile {
  readonly name: string;
  readonly content: Readable;
  readonly declaredBytes: number | undefined;
}

/** The owner of a file: an operator in a session, or a customer, with the message it will come with. */
export type FileOwner =
  | { readonly kind: 'operator'; readonly telegramUserId: number; readonly sessionId: number }
  | { readonly kind: 'customer'; readonly user: TelegramUser; readonly clientMessageId: string };

/** What the bot requests from the chat, over HTTP or in the same process. */
export interface TelegramCalls {
  introduce(bot: TelegramBotRequest): Promise<void>;
  redeem(request: TelegramRedeemRequest): Promise<TelegramRedeemResponse>;
  /** @throws ChatError with the same codes as the console's calls; `forbidden` for an account that is not bound. */
  act(request: TelegramActRequest): Promise<TelegramActResponse>;
  write(action: TelegramCustomerAction): Promise<TelegramWriteResponse>;
  upload(owner: FileOwner, file: TelegramFile): Promise<Attachment>;
  blocked(request: TelegramBlockedRequest): Promise<void>;
  /** A file by its signed address. */
  openFile(url: string): Promise<StoredAttachmentFile>;
}

export interface TelegramParts {
  readonly database: Database;
  readonly context: StorageContext;
  readonly directory: Directory;
  readonly attachments: Attachments;
  readonly callbacks: Callbacks;
  readonly rates: RequestRates;
  readonly secret: string | KeyObject;
}

/** The chat as the Telegram bot uses it: every call acts in the name of the writer, with their current rights. */
export class Telegram implements TelegramCalls {
  readonly accounts: TelegramAccounts;
  readonly #customers: TelegramCustomers;
  readonly #parts: TelegramParts;

  constructor(parts: TelegramParts) {
    const { database, context, attachments, rates, secret } = parts;
    this.#parts = parts;
    this.accounts = new TelegramAccounts(database, secret);
    this.#customers = new TelegramCustomers(database, context, attachments, rates, secret);
  }

  introduce(bot: TelegramBotRequest): Promise<void> {
    return this.accounts.introduce(bot);
  }

  async redeem({ code, user }: TelegramRedeemRequest): Promise<TelegramRedeemResponse> {
    const redeemed = await this.accounts.redeem(code, user);
    switch (redeemed.kind) {
      case 'operator':
        return { outcome: 'operator', user_id: redeemed.userId, name: redeemed.name };
      case 'customer': {
        const { messages, isPart } = await this.#customers.missed(redeemed.sessionId, redeemed.linkedMessageId);
        return {
          outcome: 'customer',
          session_id: redeemed.sessionId,
          missed: messages,
          ...(isPart ? { missed_earlier: true } : {}),
        };
      }
      case 'is_operator':
        throw new ChatError('forbidden', "an operator's account is nobody's customer");
      case 'unknown_code':
      case 'too_many':
        return { outcome: redeemed.kind };
    }
  }

  async act(request: TelegramActRequest): Promise<TelegramActResponse> {
    const actor = await this.accounts.operator(request.telegram_user_id);
    await this.#parts.directory.seen(actor);
    return this.#do(actor, request.action, request.request_id);
  }

  write(action: TelegramCustomerAction): Promise<TelegramWriteResponse> {
    return this.#customers.write(action);
  }

  async upload(owner: FileOwner, file: TelegramFile): Promise<Attachment> {
    if (owner.kind === 'customer') return this.#customers.upload(owner.user, owner.clientMessageId, file);
    const { context, attachments, rates } = this.#parts;
    const actor = await this.accounts.operator(owner.telegramUserId);
    await rates.upload(actor);
    await requireVisibleSession(context, actor, owner.sessionId);
    // The answer that would contain it is refused too, and the file would remain unused.
    requireOurs(context, actor);
    return attachments.upload({
      sessionId: owner.sessionId,
      participant: participantOf(actor),
      clientIp: null,
      ...file,
    });
  }

  blocked({ telegram_user_id, blocked }: TelegramBlockedRequest): Promise<void> {
    return this.accounts.setBlocked(telegram_user_id, blocked);
  }

  async openFile(url: string): Promise<StoredAttachmentFile> {
    const { pathname, searchParams } = new URL(url, 'http://chat.invalid');
    const [, id] = /^\/chat\/attachments\/([\w-]+)$/.exec(pathname) ?? [];
    if (id === undefined) throw new ChatError('not_found', 'no such attachment');
    return this.#parts.attachments.open(id, searchParams.get('sig') ?? undefined);
  }

  async #do(actor: StaffActor, action: TelegramStaffAction, requestId: string): Promise<TelegramActResponse> {
    const { context, callbacks, rates, database } = this.#parts;
    switch (action.kind) {
      case 'post': {
        await rates.message(actor);
        const { message, seq } = await postMessage(context, actor, action.session_id, {
          body: action.body,
          clientMessageId: action.client_message_id,
          attachments: action.attachments,
          expectedSeq: action.expected_seq,
        });
        return { kind: 'posted', message, seq };
      }
      case 'assign':
        await assign(context, actor, action.session_id, undefined);
        return { kind: 'done' };
      case 'close':
        await close(context, actor, action.session_id);
        return { kind: 'done' };
      case 'reopen':
        await reopen(context, actor, action.session_id);
        return { kind: 'done' };
      case 'note':
        await this.#noteOnce(actor, action, requestId);
        return { kind: 'done' };
      case 'read':
        await markRead(context, actor, action.session_id, action.last_id);
        return { kind: 'done' };
      case 'sessions': {
        const page = await listSessions(context, actor, {
          status: 'new,active',
          assigned: action.assigned === 'me' ? 'me' : undefined,
          sort: 'waiting',
          limit: LIST_MAX,
        });
        return { kind: 'sessions', sessions: page.sessions.map(listed), has_more: page.next_page !== null };
      }
      case 'callbacks': {
        const page = await listCallbacks(database, actor, { status: OPEN_CALLBACKS, limit: LIST_MAX });
        return { kind: 'callbacks', callbacks: page.callbacks, has_more: page.next_page !== null };
      }
      case 'callback': {
        const callback = await callbacks.update(actor, action.id, { status: action.status });
        return { kind: 'callbacks', callbacks: [callback], has_more: false };
      }
      case 'duty': {
        if (action.status !== undefined) {
          // Off in Telegram does not affect an open console.
          await this.accounts.setDuty(actor.userId, action.status !== 'off');
          if (action.status !== 'off') await chooseStatus(context, actor, action.status);
        }
        const { account } = await this.accounts.binding(actor);
        const { status } = await operatorStatus(context, actor);
        return { kind: 'duty', on_duty: account?.on_duty ?? false, status };
      }
      case 'logout':
        await this.accounts.unbind(actor.userId);
        return { kind: 'done' };
    }
  }

  /** A note has no client-side id: the request's id is used instead, in the note's own transaction. */
  async #noteOnce(
    actor: StaffActor,
    { session_id: sessionId, body }: Extract<TelegramStaffAction, { kind: 'note' }>,
    requestId: string,
  ): Promise<void> {
    await changeSession(this.#parts.context, sessionId, async (unit) => {
      requireVisible(actor, unit.session);
      const first =
        await sql`INSERT INTO telegram_request (id) VALUES (${requestId}) ON CONFLICT DO NOTHING RETURNING id`.execute(
          unit.trx,
        );
      if (first.rows.length === 0) return;
      await unit.appendStaffOnly({ type: 'chat.note', authorId: actor.userId, authorName: actor.name, body });
    });
  }
}

function listed(session: StaffSession): TelegramSession {
  const last = session.last_message;
  return {
    id: session.id,
    status: session.status,
    name: session.contact.name,
    assigned_user_id: session.assigned_user_id,
    assigned_user_name: session.assigned_user_name ?? null,
    unread_count: session.unread_count,
    waiting_since: session.waiting_since,
    last_message: last?.body ?? null,
    last_seq: session.last_seq,
    last_message_id: last?.id ?? 0,
  };
}
