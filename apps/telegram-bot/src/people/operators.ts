import { type CallbackStaff, ChatError, type TelegramStaffAction } from '@chat-realtime/protocol';
import type { CallbackQuery } from 'grammy/types';
import {
  buttonData,
  type ButtonAction,
  type Command,
  parseButton,
  parseStatus,
  staffCommand,
} from '../domain/commands.ts';
import type { Content } from '../domain/content.ts';
import { callbackContent, chatButtons, listedSession } from '../domain/render.ts';
import type { ChatService } from '../ports.ts';
import type { BoundOperator, People } from '../storage/people.ts';
import type { NewSend } from '../storage/sends.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { type Texts, textsFor } from '../texts.ts';
import type { Incoming } from './incoming.ts';
import { NOTHING, operatorRecipient, type Outcome, plainText } from './outcome.ts';
import { refusalText } from './refusals.ts';
import type { OperatorReplies, ReplyPlace } from './replies.ts';

export interface OperatorsParts {
  readonly chatService: ChatService;
  readonly people: Pick<People, 'answeredMessage' | 'message' | 'zones'>;
  readonly replies: OperatorReplies;
  readonly api: Pick<TelegramApi, 'showStaffCommands'>;
}

/** A bound operator's actions. Every call may be repeated after a crash: ids come from the update. */
export class Operators {
  readonly #parts: OperatorsParts;

  constructor(parts: OperatorsParts) {
    this.#parts = parts;
  }

  async command(operator: BoundOperator, { name, argument }: Command, requestId: string): Promise<Outcome> {
    const texts = textsFor(operator.locale);
    switch (name === 'start' ? 'help' : staffCommand(name)) {
      case 'open':
        return this.#sessions(operator, 'open', requestId);
      case 'mine':
        return this.#sessions(operator, 'me', requestId);
      case 'callbacks':
        return this.#callbacks(operator, requestId);
      case 'status':
        return this.#duty(operator, parseStatus(argument) ?? undefined, requestId);
      case 'logout':
        await this.#act(operator, { kind: 'logout' }, requestId);
        await this.#parts.api.showStaffCommands(operator.chatId, false);
        // Not to the account: its binding has just been removed, and every text to it.
        return { sends: [{ to: { kind: 'anybody', chatId: operator.chatId }, content: plainText(texts.loggedOut) }] };
      case 'help':
        return answer(operator, plainText(texts.helpOperator));
      case null:
        return answer(operator, plainText(texts.unknownCommand));
    }
  }

  /** A reply to a text of a chat answers that chat; anything else could be for anybody. */
  async write(operator: BoundOperator, incoming: Incoming, requestId: string): Promise<Outcome> {
    const texts = textsFor(operator.locale);
    const say = (text: string): Outcome => answer(operator, plainText(text, incoming.messageId));
    if (incoming.replyTo === undefined) return say(texts.replyNeeded);
    const known = (await this.#parts.people.answeredMessage(operator.chatId, incoming.replyTo)) ?? incoming.answered;
    if (known === undefined) return say(texts.unknownMessage);
    return this.#parts.replies.write(operator, incoming, known, requestId, ownChat(operator));
  }

  async edited(operator: BoundOperator, incoming: Incoming, editedAt: number, requestId: string): Promise<Outcome> {
    const known = await this.#parts.people.message(operator.chatId, incoming.messageId);
    if (known === undefined) return NOTHING;
    return this.#parts.replies.edited(operator, incoming, editedAt, known, requestId, ownChat(operator));
  }

  async button(operator: BoundOperator, query: CallbackQuery, requestId: string): Promise<Outcome> {
    const texts = textsFor(operator.locale);
    const action = parseButton(query.data ?? '');
    if (action === null) return { sends: [], toast: texts.unknownCommand };
    try {
      return await this.#press(operator, action, query.message, requestId, texts);
    } catch (error) {
      const toast = refusalText(error, texts);
      const isTaken = action.kind === 'callback' && error instanceof ChatError && error.code === 'already_assigned';
      return { sends: [], toast: isTaken ? texts.callbackTaken : toast };
    }
  }

  async #press(
    operator: BoundOperator,
    action: ButtonAction,
    under: CallbackQuery['message'],
    requestId: string,
    texts: Texts,
  ): Promise<Outcome> {
    switch (action.kind) {
      case 'assign': {
        await this.#act(operator, { kind: 'assign', session_id: action.sessionId }, requestId);
        const known =
          under === undefined ? undefined : await this.#parts.people.message(under.chat.id, under.message_id);
        // An operator who claims a chat has read the message above the button.
        if (known?.messageId !== undefined && known.messageId !== null)
          await this.#act(
            operator,
            { kind: 'read', session_id: action.sessionId, last_id: known.messageId },
            requestId,
          );
        return { sends: [], toast: texts.taken };
      }
      case 'close':
      case 'reopen':
        await this.#act(operator, { kind: action.kind, session_id: action.sessionId }, requestId);
        return action.kind === 'close'
          ? closed(operator, action.sessionId, texts)
          : { sends: [], toast: texts.reopened };
      case 'note': {
        const content: Content = { kind: 'text', text: texts.writeNote(action.sessionId), forceReply: true };
        const to = operatorRecipient(operator);
        return { sends: [{ to, content, sessionId: action.sessionId, purpose: 'note' }], toast: texts.buttons.note };
      }
      case 'callback': {
        const done = await this.#act(operator, { kind: 'callback', id: action.id, status: action.status }, requestId);
        const sends = done.kind === 'callbacks' ? await this.#listed(operator, done.callbacks) : [];
        return { sends, toast: texts.callbackStatus(action.status) };
      }
      case 'duty':
        return this.#duty(operator, action.status, requestId);
    }
  }

  async #sessions(operator: BoundOperator, assigned: 'open' | 'me', requestId: string): Promise<Outcome> {
    const texts = textsFor(operator.locale);
    const list = await this.#act(operator, { kind: 'sessions', assigned }, requestId);
    if (list.kind !== 'sessions') return NOTHING;
    if (list.sessions.length === 0)
      return answer(operator, plainText(assigned === 'me' ? texts.noMine : texts.noSessions));
    const to = operatorRecipient(operator);
    const sends = list.sessions.map((session): NewSend => {
      const content = listedSession(texts, session, operator.userId);
      const messageId = session.last_message_id === 0 ? undefined : session.last_message_id;
      return { to, content, sessionId: session.id, seq: session.last_seq, messageId, needs: { scope: true } };
    });
    return { sends: list.has_more ? [...sends, { to, content: plainText(texts.more) }] : sends };
  }

  async #callbacks(operator: BoundOperator, requestId: string): Promise<Outcome> {
    const texts = textsFor(operator.locale);
    const list = await this.#act(operator, { kind: 'callbacks' }, requestId);
    if (list.kind !== 'callbacks' || list.callbacks.length === 0) return answer(operator, plainText(texts.noCallbacks));
    const sends = await this.#listed(operator, list.callbacks);
    return { sends: [...sends, ...(list.has_more ? answer(operator, plainText(texts.more)).sends : [])] };
  }

  async #listed(operator: BoundOperator, callbacks: readonly CallbackStaff[]): Promise<NewSend[]> {
    const zone = (await this.#parts.people.zones())(operator.userId);
    const to = operatorRecipient(operator);
    return callbacks.map((callback) => ({
      to,
      content: callbackContent(textsFor(operator.locale), callback, zone),
      needs: { scope: true, callbackId: callback.id },
    }));
  }

  async #duty(
    operator: BoundOperator,
    status: 'online' | 'away' | 'off' | undefined,
    requestId: string,
  ): Promise<Outcome> {
    const texts = textsFor(operator.locale);
    const duty = await this.#act(operator, { kind: 'duty', ...(status === undefined ? {} : { status }) }, requestId);
    if (duty.kind !== 'duty') return NOTHING;
    const { online, away, off } = texts.buttons;
    const button = (text: string, next: 'online' | 'away' | 'off') => ({
      text,
      data: buttonData({ kind: 'duty', status: next }),
    });
    const buttons = [[button(online, 'online'), button(away, 'away'), button(off, 'off')]];
    const text = texts.duty(duty.on_duty, duty.status);
    return { ...answer(operator, { kind: 'text', text, buttons }), toast: text };
  }

  #act(operator: BoundOperator, action: TelegramStaffAction, requestId: string) {
    return this.#parts.chatService.act({ telegram_user_id: operator.chatId, request_id: requestId, action });
  }
}

function answer(operator: BoundOperator, ...contents: readonly Content[]): Outcome {
  const to = operatorRecipient(operator);
  return { sends: contents.map((content) => ({ to, content })) };
}

/** An operator who closed a chat by mistake needs a way to undo it: nobody else is informed. */
function closed(operator: BoundOperator, sessionId: number, texts: Texts): Outcome {
  const content: Content = {
    kind: 'text',
    text: `${texts.chat(sessionId)} · ${texts.closedBy}`,
    buttons: chatButtons(texts, sessionId, 'closed'),
  };
  return { sends: [{ to: operatorRecipient(operator), content, sessionId }], toast: texts.closed };
}

function ownChat(operator: BoundOperator): ReplyPlace {
  return {
    chatId: operator.chatId,
    isGroup: false,
    texts: textsFor(operator.locale),
    say: (...contents) => answer(operator, ...contents),
    tell: (sessionId, ...told) => ({
      sends: told.map((one) => ({
        to: operatorRecipient(operator),
        sessionId,
        ...one,
        // A person's text; the bot's own answers carry no information.
        ...(one.messageId === undefined ? {} : { needs: { scope: true } }),
      })),
    }),
  };
}
