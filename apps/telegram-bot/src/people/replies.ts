import { ATTACHMENTS_PER_MESSAGE, ChatError } from '@chat-realtime/protocol';
import type { Content } from '../domain/content.ts';
import { clientMessageId } from '../domain/ids.ts';
import { chatButtons } from '../domain/render.ts';
import type { ChatService } from '../ports.ts';
import type { KnownMessage } from '../domain/recognise-message.ts';
import type { BoundOperator, People } from '../storage/people.ts';
import type { Remembered } from '../storage/sends.ts';
import type { TelegramApi } from '../telegram/api.ts';
import type { Texts } from '../texts.ts';
import { bringFiles } from './files.ts';
import type { Incoming } from './incoming.ts';
import { lastMissed, missedOf, type Told } from './missed.ts';
import { type Outcome, plainText } from './outcome.ts';
import { refusalText } from './refusals.ts';

export interface RepliesParts {
  readonly botId: number;
  readonly chatService: ChatService;
  readonly people: Pick<People, 'shown' | 'queued'>;
  readonly api: Pick<TelegramApi, 'download'>;
}

/** Where an operator replies: in their own chat with the bot, or in a topic of the staff group. */
export interface ReplyPlace {
  readonly chatId: number;
  readonly isGroup: boolean;
  /** In the language of the people who read there. */
  readonly texts: Texts;
  /** Sends a text of the bot there. */
  readonly say: (...contents: readonly Content[]) => Outcome;
  /** Sends a text about a chat, so that a reply to it goes to that chat. */
  readonly tell: (sessionId: number, ...told: readonly Told[]) => Outcome;
}

/** A linked operator's reply to a message of the bot: posts a message or a note to that chat. */
export class OperatorReplies {
  readonly #parts: RepliesParts;

  constructor(parts: RepliesParts) {
    this.#parts = parts;
  }

  async write(
    operator: BoundOperator,
    incoming: Incoming,
    known: KnownMessage,
    requestId: string,
    place: ReplyPlace,
  ): Promise<Outcome> {
    const { texts } = place;
    const say = (text: string): Outcome => place.say(plainText(text, incoming.messageId));
    if (incoming.text.trim() === '' && incoming.files.length === 0) return say(texts.unsupported);
    try {
      if (known.purpose === 'note') {
        if (incoming.text.trim() === '') return say(texts.unsupported);
        const action = { kind: 'note', session_id: known.sessionId, body: incoming.text } as const;
        await this.#parts.chatService.act({ telegram_user_id: operator.chatId, request_id: requestId, action });
        const at = { chatId: place.chatId, telegramId: incoming.messageId, sessionId: known.sessionId };
        return { ...say(texts.noted), remember: [{ ...at, seq: null, messageId: null, purpose: 'note' }] };
      }
      return await this.#post(operator, incoming, known.sessionId, requestId, place);
    } catch (error) {
      return this.#refused(error, operator, incoming, known.sessionId, place);
    }
  }

  /** Explains the refusal and offers the next step. */
  async #refused(
    error: unknown,
    operator: BoundOperator,
    incoming: Incoming,
    sessionId: number,
    place: ReplyPlace,
  ): Promise<Outcome> {
    const { texts } = place;
    const content = plainText(refusalText(error, texts), incoming.messageId);
    if (!(error instanceof ChatError)) return place.say(content);
    if (error.code === 'session_closed') {
      const [[reopen] = []] = chatButtons(texts, sessionId, 'closed');
      return place.tell(sessionId, { content: { ...content, buttons: reopen === undefined ? [] : [[reopen]] } });
    }
    // The topic shows the whole chat.
    if (error.code !== 'stale' || place.isGroup) return place.say(content);
    const queued = await this.#parts.people.queued(place.chatId, sessionId);
    const missed = missedOf(error, { userId: operator.userId, texts, isQueued: (seq) => queued.has(seq) });
    return place.tell(sessionId, ...missed, { content, seq: lastMissed(error) });
  }

  /** A message of the chat cannot be changed: the correction is a new one. */
  async edited(
    operator: BoundOperator,
    incoming: Incoming,
    editedAt: number,
    known: KnownMessage,
    requestId: string,
    place: ReplyPlace,
  ): Promise<Outcome> {
    const { texts } = place;
    const say = (text: string): Outcome => place.say(plainText(text, incoming.messageId));
    // Possibly a replaced file: Telegram does not say whether it is one.
    if (incoming.text.trim() === '') return say(texts.editedFile);
    const correction = { ...incoming, text: `✎ ${incoming.text}`, files: [], key: `${incoming.key}:edit:${editedAt}` };
    try {
      if (known.purpose === 'note') {
        const action = { kind: 'note', session_id: known.sessionId, body: correction.text } as const;
        await this.#parts.chatService.act({ telegram_user_id: operator.chatId, request_id: requestId, action });
        return say(texts.editedNote);
      }
      const outcome = await this.#post(operator, correction, known.sessionId, requestId, place);
      return together(outcome, say(texts.edited));
    } catch (error) {
      return this.#refused(error, operator, incoming, known.sessionId, place);
    }
  }

  async #post(
    operator: BoundOperator,
    incoming: Incoming,
    sessionId: number,
    requestId: string,
    place: ReplyPlace,
  ): Promise<Outcome> {
    const { people, chatService, api, botId } = this.#parts;
    const { texts } = place;
    const owner = { kind: 'operator', telegramUserId: operator.chatId, sessionId } as const;
    const { ids, problems } = await bringFiles(incoming.files, owner, { api, chatService, texts });
    const said = place.say(...problems.map((text) => plainText(text, incoming.messageId)));
    if (incoming.text.trim() === '' && ids.length === 0) return said;
    const shown = await people.shown(place.chatId, sessionId);
    const remember: Remembered[] = [];
    const parts = Math.max(1, Math.ceil(ids.length / ATTACHMENTS_PER_MESSAGE));
    for (let part = 0; part < parts; part += 1) {
      const attachments = ids.slice(part * ATTACHMENTS_PER_MESSAGE, (part + 1) * ATTACHMENTS_PER_MESSAGE);
      const key = part === 0 ? incoming.key : `${incoming.key}#${part}`;
      const action = {
        kind: 'post',
        session_id: sessionId,
        body: part === 0 ? incoming.text : '',
        client_message_id: clientMessageId(botId, place.chatId, key, place.isGroup),
        attachments,
        // The operator knew what Telegram had shown when they wrote.
        ...(shown.seq === null ? {} : { expected_seq: shown.seq }),
      } as const;
      const posted = await chatService.act({ telegram_user_id: operator.chatId, request_id: requestId, action });
      if (posted.kind !== 'posted') continue;
      const { seq, message } = posted;
      for (const telegramId of part === 0 ? incoming.messageIds : [])
        remember.push({ chatId: place.chatId, telegramId, sessionId, seq, messageId: message.id, purpose: 'message' });
    }
    return { ...said, remember };
  }
}

function together(one: Outcome, other: Outcome): Outcome {
  return {
    ...one,
    sends: [...one.sends, ...other.sends],
    topic: [...(one.topic ?? []), ...(other.topic ?? [])],
  };
}
