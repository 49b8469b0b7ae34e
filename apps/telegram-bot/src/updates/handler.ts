import type { Database } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import type { Logger } from '@chat-realtime/service-kit';
import type { CallbackQuery, Message, Update } from 'grammy/types';
import { ChatQueue } from '../chat-queue.ts';
import { parseCommand } from '../domain/commands.ts';
import { isOfTheData } from '../domain/faults.ts';
import type { Customers } from '../people/customers.ts';
import { incomingOf, personOf } from '../people/incoming.ts';
import type { Operators } from '../people/operators.ts';
import { NOTHING, type Outcome, plainText } from '../people/outcome.ts';
import { isFault, isPassing } from '../people/refusals.ts';
import type { ChatService } from '../ports.ts';
import type { StaffGroup } from '../staff-group/staff-group.ts';
import type { People } from '../storage/people.ts';
import { type NewSend, remember, type SendStore } from '../storage/sends.ts';
import { type Batch, chatOf, type UpdateStore } from '../storage/updates.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { TelegramFailure } from '../telegram/failures.ts';
import { textsFor } from '../texts.ts';

const RETRY_SECONDS = 2;
/** After this many attempts an update that cannot be handled is skipped, because its whole chat waits behind it. */
const ATTEMPTS = 4;
/** The same for failures caused by a fault of chat-service: about eight minutes. */
const FAULT_ATTEMPTS = 12;
const FAULT_PAUSE_MAX_SECONDS = 60;

export interface HandlerParts {
  readonly database: Database;
  readonly botId: number;
  readonly updates: UpdateStore;
  readonly sends: SendStore;
  readonly people: People;
  readonly operators: Pick<Operators, 'command' | 'write' | 'edited' | 'button'>;
  readonly customers: Pick<Customers, 'redeem' | 'write' | 'edited'>;
  readonly chatService: ChatService;
  readonly api: Pick<TelegramApi, 'answerButton'>;
  /** Null: there is no staff group. */
  readonly group: StaffGroup | null;
  readonly logger: Logger;
  readonly added: () => void;
  /** An update was left out. */
  readonly leftOut: () => void;
  readonly retrySeconds?: number;
}

/**
 * Handles stored updates, in order per chat. The results are written in the same transaction as the mark “handled”. An
 * update's effects in the chat before that have their own ids, so a repeat after a crash has no second effect.
 */
export class UpdateHandler {
  readonly #parts: HandlerParts;
  readonly #queue: ChatQueue<Batch>;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
    this.#queue = new ChatQueue<Batch>({
      due: async (busy) => {
        const { batches, waiting } = await parts.updates.due(busy);
        return { items: batches, soon: waiting };
      },
      work: (batch) => this.#work(batch),
      logger: parts.logger,
    });
  }

  start(): void {
    this.#queue.start();
  }

  wake(): void {
    this.#queue.wake();
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #work(batch: Batch): Promise<void> {
    try {
      await this.#handle(batch);
    } catch (error) {
      if (!isOfTheData(error)) throw error;
      if (batch.attempts >= ATTEMPTS) return this.#leaveOut(batch, error);
      this.#parts.logger.warn({ err: error, update_id: batch.ids[0] }, 'an update failed; it will be retried');
      await this.#parts.updates.failed(batch, this.#parts.retrySeconds ?? RETRY_SECONDS);
    }
  }

  async #leaveOut(batch: Batch, error: unknown): Promise<void> {
    const { database, updates, sends, logger, added, leftOut } = this.#parts;
    logger.error({ err: error, update_id: batch.ids[0] }, 'an update failed permanently and was skipped');
    const answers = this.#notHandled(batch);
    await database.kysely.transaction().execute(async (trx) => {
      await sends.add(answers, trx);
      await updates.handled(batch, trx);
    });
    leftOut();
    if (answers.length > 0) added();
  }

  /** Informs the person who wrote it in their own chat with the bot. */
  #notHandled(batch: Batch): NewSend[] {
    const message = batch.updates[0]?.message;
    if (message?.chat.type !== 'private') return [];
    const text = textsFor(message.from?.language_code).customerFailed;
    return [{ to: { kind: 'anybody', chatId: message.chat.id }, content: plainText(text, message.message_id) }];
  }

  async #handle(batch: Batch): Promise<void> {
    const { database, botId, updates, sends, api, group, logger, added } = this.#parts;
    let outcome: Outcome;
    try {
      outcome = await this.#outcome(batch);
    } catch (error) {
      const known = error instanceof ChatError || error instanceof TelegramFailure;
      if (!known) throw error;
      const isLasting = error instanceof ChatError && !isPassing(error);
      logger.warn({ err: error }, isLasting ? 'an update cannot be handled' : 'an update waits for the chat');
      if (isFault(error)) {
        if (batch.attempts >= FAULT_ATTEMPTS) return this.#leaveOut(batch, error);
        await updates.failed(batch, faultPause(batch.attempts));
        return;
      }
      if (!isLasting) {
        await updates.postpone(batch, error.retryAfterSeconds ?? RETRY_SECONDS);
        return;
      }
      outcome = NOTHING;
    }
    await database.kysely.transaction().execute(async (trx) => {
      await sends.add(outcome.sends, trx);
      await group?.topics.add(outcome.topic ?? [], trx);
      for (const entry of outcome.remember ?? []) await remember(trx, botId, entry);
      await updates.handled(batch, trx);
    });
    if (outcome.sends.length > 0) added();
    if ((outcome.topic ?? []).length > 0) group?.worker.wake();
    const query = batch.updates[0]?.callback_query;
    if (query === undefined) return;
    // Stops the button's progress indicator. After a moment Telegram no longer accepts this, and nothing depends on it.
    await api.answerButton(query.id, outcome.toast ?? '').catch((error: unknown) => {
      logger.debug({ err: error }, 'a pressed button could not be answered');
    });
  }

  async #outcome(batch: Batch): Promise<Outcome> {
    const [first] = batch.updates;
    if (first === undefined) return NOTHING;
    const requestId = `telegram:${this.#parts.botId}:${first.update_id}`;
    if (first.my_chat_member !== undefined) return this.#membership(first);
    await this.#takesTexts(first);
    if (first.callback_query !== undefined) return this.#button(first.callback_query, requestId);
    const edited = first.edited_message;
    if (edited !== undefined) return this.#edited(edited, requestId);
    const messages = batch.updates.flatMap(({ message }) => (message === undefined ? [] : [message]));
    return this.#messages(messages, requestId);
  }

  /** Whoever writes to the bot accepts texts again. Telegram reports such a return only to the bot that was stopped. */
  async #takesTexts(update: Update): Promise<void> {
    const { people, chatService } = this.#parts;
    const chatId = chatOf(update);
    if (chatId === undefined || chatId < 0 || !(await people.isBlocked(chatId))) return;
    await chatService.blocked({ telegram_user_id: chatId, blocked: false });
  }

  async #messages(messages: readonly Message[], requestId: string): Promise<Outcome> {
    const { people, operators, customers } = this.#parts;
    const [first] = messages;
    const group = await this.#groupOf(first?.chat.id);
    if (group !== null) return group.members.write(messages, requestId);
    // In any other group strangers may read along: only people's own chats with the bot count.
    if (first?.from === undefined || first.chat.type !== 'private' || first.from.is_bot) return NOTHING;
    const user = personOf(first.from);
    const texts = textsFor(user.locale);
    const command = parseCommand(first.text ?? '');
    const code = command !== null && (command.name === 'login' || command.name === 'start') ? command.argument : '';
    if (code !== '') return customers.redeem(user, code);
    const say = (text: string): Outcome => ({
      sends: [{ to: { kind: 'anybody', chatId: user.id }, content: plainText(text) }],
    });
    if (command?.name === 'login') return say(texts.loginNeedsCode);
    const operator = await people.operator(user.id);
    if (operator !== undefined) {
      if (command !== null) return operators.command(operator, command, requestId);
      return operators.write(operator, incomingOf(messages), requestId);
    }
    if (command?.name === 'start') return say(texts.welcome);
    // Anything that looks like a command is meant for the bot, and starts no chat.
    if (command !== null) return say(texts.helpAnybody);
    return customers.write(user, incomingOf(messages));
  }

  async #edited(message: Message & Update.NonChannel, requestId: string): Promise<Outcome> {
    const { people, operators, customers } = this.#parts;
    const group = await this.#groupOf(message.chat.id);
    if (group !== null) return group.members.edited(message, requestId);
    if (message.chat.type !== 'private') return NOTHING;
    const user = personOf(message.from);
    const editedAt = message.edit_date ?? 0;
    const operator = await people.operator(user.id);
    if (operator !== undefined) return operators.edited(operator, incomingOf([message]), editedAt, requestId);
    return customers.edited(user, incomingOf([message]), editedAt);
  }

  async #button(query: CallbackQuery, requestId: string): Promise<Outcome> {
    const { people, operators } = this.#parts;
    const texts = textsFor(query.from.language_code);
    const group = await this.#groupOf(query.message?.chat.id);
    if (group !== null) return group.members.button(query, requestId);
    if (query.message !== undefined && query.message.chat.type !== 'private') return NOTHING;
    const operator = await people.operator(query.from.id);
    if (operator === undefined) return { sends: [], toast: texts.failed.forbidden };
    return operators.button(operator, query, requestId);
  }

  async #membership({ my_chat_member: change }: Update): Promise<Outcome> {
    const group = await this.#groupOf(change?.chat.id);
    group?.worker.retry();
    if (change === undefined || change.chat.type !== 'private') return NOTHING;
    const { status } = change.new_chat_member;
    await this.#parts.chatService.blocked({
      telegram_user_id: change.chat.id,
      blocked: status === 'kicked' || status === 'left',
    });
    return NOTHING;
  }

  async #groupOf(chatId: number | undefined): Promise<StaffGroup | null> {
    const { group } = this.#parts;
    if (group === null || chatId === undefined || chatId > 0) return null;
    return chatId === (await group.topics.groupId()) ? group : null;
  }
}

/** The delay grows each time. */
function faultPause(attempts: number): number {
  return Math.min(RETRY_SECONDS * 2 ** Math.min(attempts, 10), FAULT_PAUSE_MAX_SECONDS);
}
