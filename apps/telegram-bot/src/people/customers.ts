import {
  ATTACHMENTS_PER_MESSAGE,
  ChatError,
  firstCharacters,
  MESSAGE_BODY_MAX_CODE_POINTS,
  type TelegramUser,
} from '@chat-realtime/protocol';
import { clientMessageId } from '../domain/ids.ts';
import { messageContents } from '../domain/render.ts';
import type { ChatService } from '../ports.ts';
import type { People } from '../storage/people.ts';
import type { NewSend, Recipient, Remembered } from '../storage/sends.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { textsFor } from '../texts.ts';
import { bringFiles } from './files.ts';
import type { Incoming } from './incoming.ts';
import { customerRecipient, NOTHING, type Outcome, plainText } from './outcome.ts';
import { isPassing } from './refusals.ts';

export interface CustomersParts {
  readonly botId: number;
  readonly chatService: ChatService;
  readonly people: Pick<People, 'customer' | 'message' | 'shown'>;
  readonly api: Pick<TelegramApi, 'download' | 'showStaffCommands'>;
}

/** An account that is not linked to an operator: a customer, with a chat or about to start one. */
export class Customers {
  readonly #parts: CustomersParts;

  constructor(parts: CustomersParts) {
    this.#parts = parts;
  }

  /** `/login <code>`, or `/start <code>` of an address. */
  async redeem(user: TelegramUser, code: string): Promise<Outcome> {
    const { chatService, people, api } = this.#parts;
    const texts = textsFor(user.locale);
    const anybody: Recipient = { kind: 'anybody', chatId: user.id };
    const redeemed = await chatService.redeem({ code, user }).catch((error: unknown) => {
      if (error instanceof ChatError && error.code === 'forbidden') return { outcome: 'is_operator' } as const;
      throw error;
    });
    switch (redeemed.outcome) {
      case 'unknown_code':
        return { sends: [{ to: anybody, content: plainText(texts.unknownCode) }] };
      case 'is_operator':
        return { sends: [{ to: anybody, content: plainText(texts.isOperator) }] };
      case 'too_many':
        return { sends: [{ to: anybody, content: plainText(texts.tooMany) }] };
      case 'operator':
        await api.showStaffCommands(user.id, true);
        return { sends: [{ to: anybody, content: plainText(texts.boundTo(redeemed.name)) }] };
      case 'customer': {
        const customer = await people.customer(user.id);
        if (customer === undefined) return NOTHING;
        const to = customerRecipient(customer);
        const sends: NewSend[] = [{ to, content: plainText(texts.linked), sessionId: redeemed.session_id }];
        if (redeemed.missed_earlier === true)
          sends.push({
            to,
            content: plainText(texts.missedEarlier(redeemed.missed.length)),
            sessionId: redeemed.session_id,
          });
        for (const message of redeemed.missed) {
          const heading = message.sender_name ? { title: message.sender_name } : null;
          for (const content of messageContents(heading, message))
            sends.push({ to, content, sessionId: redeemed.session_id, messageId: message.id });
        }
        return { sends };
      }
    }
  }

  async write(user: TelegramUser, incoming: Incoming): Promise<Outcome> {
    const { chatService, people, api, botId } = this.#parts;
    const texts = textsFor(user.locale);
    const anybody: Recipient = { kind: 'anybody', chatId: user.id };
    const say = (text: string): NewSend => ({ to: anybody, content: plainText(text, incoming.messageId) });
    if (incoming.text.trim() === '' && incoming.files.length === 0) return { sends: [say(texts.unsupported)] };
    const before = await people.customer(user.id);
    if (incoming.replyTo !== undefined) {
      // Sent to an operator whose binding is gone, or about a chat that has ended: a reply must not become somebody's
      // question.
      const known = (await people.message(user.id, incoming.replyTo)) ?? incoming.answered;
      if (known !== undefined && known.sessionId !== before?.sessionId) return { sends: [say(texts.notYours)] };
    }
    const shown = before === undefined ? undefined : await people.shown(user.id, before.sessionId);
    const idOf = (part: number): string =>
      clientMessageId(botId, user.id, part === 0 ? incoming.key : `${incoming.key}#${part}`);
    try {
      const owner = { kind: 'customer', user, clientMessageId: idOf(0) } as const;
      const { ids, problems, lost } = await bringFiles(incoming.files, owner, { api, chatService, texts });
      const sends = problems.map(say);
      const text = withLost(incoming.text, lost);
      if (text.trim() === '' && ids.length === 0) return { sends };
      const remember: Remembered[] = [];
      const parts = Math.max(1, Math.ceil(ids.length / ATTACHMENTS_PER_MESSAGE));
      for (let part = 0; part < parts; part += 1) {
        const { session_id: sessionId, message } = await chatService.write({
          kind: 'write',
          user,
          body: part === 0 ? text : '',
          client_message_id: idOf(part),
          attachments: ids.slice(part * ATTACHMENTS_PER_MESSAGE, (part + 1) * ATTACHMENTS_PER_MESSAGE),
          ...(shown?.messageId ? { read_id: shown.messageId } : {}),
        });
        for (const telegramId of part === 0 ? incoming.messageIds : [])
          remember.push({
            chatId: user.id,
            telegramId,
            sessionId,
            seq: null,
            messageId: message.id,
            purpose: 'message',
          });
      }
      return { sends, remember };
    } catch (error) {
      if (!(error instanceof ChatError) || isPassing(error)) throw error;
      return { sends: [say(texts.customerFailed)] };
    }
  }

  async edited(user: TelegramUser, incoming: Incoming, editedAt: number): Promise<Outcome> {
    const known = await this.#parts.people.message(user.id, incoming.messageId);
    if (known === undefined) return NOTHING;
    const texts = textsFor(user.locale);
    if (incoming.text.trim() === '') {
      const content = plainText(texts.editedFile, incoming.messageId);
      return { sends: [{ to: { kind: 'anybody', chatId: user.id }, content }] };
    }
    const key = `${incoming.key}:edit:${editedAt}`;
    const outcome = await this.write(user, { ...incoming, text: `✎ ${incoming.text}`, files: [], key });
    const content = plainText(texts.edited, incoming.messageId);
    return { ...outcome, sends: [...outcome.sends, { to: { kind: 'anybody', chatId: user.id }, content }] };
  }
}

const NAME_MAX = 100;

/** Tells the operator that a file was to come. In both languages: it is unknown who will read it. */
function withLost(text: string, names: readonly string[]): string {
  if (names.length === 0) return text;
  const lines = names.map((name) => `📎 ${firstCharacters(name, NAME_MAX)} — не дошёл / did not arrive`);
  return firstCharacters([text, ...lines].filter((line) => line !== '').join('\n'), MESSAGE_BODY_MAX_CODE_POINTS);
}
