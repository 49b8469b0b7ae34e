import type { CallbackQuery, Message } from 'grammy/types';
import { parseButton } from '../domain/commands.ts';
import type { Operators } from '../people/operators.ts';
import { incomingOf } from '../people/incoming.ts';
import { NOTHING, type Outcome, plainText } from '../people/outcome.ts';
import { type OperatorReplies, type ReplyPlace } from '../people/replies.ts';
import type { KnownMessage } from '../domain/recognise-message.ts';
import type { People } from '../storage/people.ts';
import type { TopicStore } from '../storage/topics.ts';
import { type Texts, textsFor } from '../texts.ts';

/** By it Telegram shows an administrator who writes in the group's name. */
const ANONYMOUS_ADMIN = 1_087_968_824;
/** An account that is not linked to anyone is told so, but not for each of its messages. */
export const NOTICE_EVERY_MS = 600_000;
const NOTICES_MAX = 1_000;

export interface GroupMembersParts {
  readonly botId: number;
  readonly people: Pick<People, 'operator' | 'answeredMessage' | 'message'>;
  readonly topics: Pick<TopicStore, 'sessionOf'>;
  readonly replies: OperatorReplies;
  readonly operators: Operators;
  /** In the language of the group: what is said in a topic is read by everybody. */
  readonly texts: Texts;
}

/**
 * What is written in the staff group. A reply to a text of the bot is meant for the customer, and counts if its author is
 * bound; anything else is talk among the staff.
 */
export class GroupMembers {
  readonly #parts: GroupMembersParts;
  readonly #noticed = new Map<number, number>();

  constructor(parts: GroupMembersParts) {
    this.#parts = parts;
  }

  async write(messages: readonly Message[], requestId: string): Promise<Outcome> {
    const [first] = messages;
    if (first === undefined) return NOTHING;
    const incoming = incomingOf(messages);
    const known = await this.#known(first, incoming.replyTo, this.#answersBot(first));
    if (known === undefined) return NOTHING;
    const place = this.#placeOf(first, known);
    const operator = await this.#parts.people.operator(first.from?.id ?? 0);
    if (operator === undefined) return this.#notLinked(first, place);
    return this.#parts.replies.write(operator, incoming, known, requestId, place);
  }

  async edited(message: Message, requestId: string): Promise<Outcome> {
    const known = await this.#known(message, message.message_id, false);
    const operator = await this.#parts.people.operator(message.from?.id ?? 0);
    if (known === undefined || operator === undefined) return NOTHING;
    const place = this.#placeOf(message, known);
    return this.#parts.replies.edited(operator, incomingOf([message]), message.edit_date ?? 0, known, requestId, place);
  }

  async button(query: CallbackQuery, requestId: string): Promise<Outcome> {
    const operator = await this.#parts.people.operator(query.from.id);
    if (operator === undefined) return { sends: [], toast: textsFor(query.from.language_code).failed.forbidden };
    const action = parseButton(query.data ?? '');
    if (action?.kind !== 'assign' && action?.kind !== 'close' && action?.kind !== 'reopen') return NOTHING;
    // The topic shows the outcome.
    return { ...(await this.#parts.operators.button(operator, query, requestId)), sends: [] };
  }

  /** Whatever is written in a topic names the note by which the bot made it, and is no reply to that. */
  #answersBot({ reply_to_message: answered }: Message): boolean {
    return answered?.from?.id === this.#parts.botId && answered.forum_topic_created === undefined;
  }

  async #known(message: Message, telegramId: number | undefined, isOfBot: boolean): Promise<KnownMessage | undefined> {
    if (message.from === undefined || telegramId === undefined) return undefined;
    if (message.from.is_bot && message.from.id !== ANONYMOUS_ADMIN) return undefined;
    const { people, topics } = this.#parts;
    // Talk among the staff is not kept waiting by it.
    if (!isOfBot) return people.message(message.chat.id, telegramId);
    const known = await people.answeredMessage(message.chat.id, telegramId);
    if (known !== undefined || message.message_thread_id === undefined) return known;
    // A text whose call ended without an answer has no id that the bot knows; but its topic belongs to one chat only.
    const sessionId = await topics.sessionOf(message.message_thread_id);
    return sessionId === undefined ? undefined : { sessionId, seq: null, messageId: null, purpose: 'message' };
  }

  #notLinked(message: Message, place: ReplyPlace): Outcome {
    const id = message.from?.id ?? 0;
    const now = performance.now();
    if (now - (this.#noticed.get(id) ?? Number.NEGATIVE_INFINITY) < NOTICE_EVERY_MS) return NOTHING;
    if (this.#noticed.size >= NOTICES_MAX) this.#noticed.clear();
    this.#noticed.set(id, now);
    return place.say(plainText(this.#parts.texts.group.notBound, message.message_id));
  }

  #placeOf({ chat }: Message, { sessionId }: KnownMessage): ReplyPlace {
    return {
      chatId: chat.id,
      isGroup: true,
      texts: this.#parts.texts,
      say: (...contents) => ({ sends: [], topic: contents.map((content) => ({ sessionId, content })) }),
      tell: (id, ...told) => ({ sends: [], topic: told.map((one) => ({ sessionId: id, ...one })) }),
    };
  }
}
