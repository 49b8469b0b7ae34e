import type { ApiFile } from './requests.ts';

/** The bot as returned by `getMe`. */
export const BOT = { id: 7_000_000_001, is_bot: true, first_name: 'Shop' } as const;

/** A message as somebody sees it in their Telegram. */
export interface ShownMessage {
  readonly message_id: number;
  readonly chat_id: number;
  readonly text: string;
  readonly entities: readonly { readonly type: string; readonly offset: number; readonly length: number }[];
  readonly buttons: readonly { readonly text: string; readonly callback_data: string }[];
  readonly reply_to: number | undefined;
  /** The topic of a forum. */
  readonly thread_id: number | undefined;
  readonly files: readonly (ApiFile & { readonly kind: string })[];
}

export interface PersonOptions {
  readonly id: number;
  readonly name?: string;
  readonly language?: string;
}

/** The part of the fake that a person acts through. */
export interface TelegramSide {
  shownTo(chatId: number): ShownMessage[];
  newMessageId(): number;
  date(): number;
  keepFile(file: ApiFile): string;
  push(update: Record<string, unknown>): number;
  setBlocked(chatId: number, blocked: boolean): void;
}

export interface SendOptions {
  readonly replyTo?: ShownMessage | { readonly message_id: number } | undefined;
  readonly album?: string;
  readonly group?: number;
  readonly thread?: number | undefined;
}

/** Messages shown to a person were sent by the bot; a reply contains the message it answers as it is shown. */
function repliedTo(message: ShownMessage | { readonly message_id: number }): object {
  const { message_id } = message;
  if (!('chat_id' in message)) return { message_id };
  const { text, entities, buttons } = message;
  const markup = buttons.length === 0 ? {} : { reply_markup: { inline_keyboard: [buttons] } };
  return { message_id, from: BOT, text, entities, ...markup };
}

/** Somebody with Telegram on their phone. */
export class FakePerson {
  readonly id: number;
  readonly #api: TelegramSide;
  readonly #from: object;
  #queries = 0;

  constructor(api: TelegramSide, id: number, name: string, language: string) {
    this.#api = api;
    this.id = id;
    this.#from = { id, is_bot: false, first_name: name, language_code: language };
  }

  /** The messages in their chat with the bot, sent by the bot. */
  get shown(): ShownMessage[] {
    return this.#api.shownTo(this.id);
  }

  #base(options: SendOptions): Record<string, unknown> & { message_id: number } {
    const { replyTo, album, group, thread } = options;
    return {
      message_id: this.#api.newMessageId(),
      date: this.#api.date(),
      from: this.#from,
      chat:
        group === undefined
          ? { id: this.id, type: 'private', first_name: 'x' }
          : { id: group, type: 'supergroup', title: 'x', is_forum: true },
      ...(thread === undefined ? {} : { message_thread_id: thread, is_topic_message: true }),
      ...(replyTo === undefined ? {} : { reply_to_message: repliedTo(replyTo) }),
      ...(album === undefined ? {} : { media_group_id: album }),
    };
  }

  send(text: string, options: SendOptions = {}): { message_id: number; update_id: number } {
    const message = { ...this.#base(options), text };
    return { message_id: message.message_id, update_id: this.#api.push({ message }) };
  }

  sendFile(kind: 'photo' | 'document' | 'voice', file: ApiFile, options: SendOptions & { caption?: string } = {}) {
    const size = { file_id: this.#api.keepFile(file), file_unique_id: 'u', file_size: file.bytes.length };
    const content = kind === 'photo' ? [size] : kind === 'document' ? { ...size, file_name: file.name } : size;
    const caption = options.caption === undefined ? {} : { caption: options.caption };
    const message = { ...this.#base(options), [kind]: content, ...caption };
    return { message_id: message.message_id, update_id: this.#api.push({ message }) };
  }

  edit(messageId: number, text: string, options: SendOptions = {}): number {
    const edited = { ...this.#base(options), message_id: messageId, text, edit_date: this.#api.date() };
    return this.#api.push({ edited_message: edited });
  }

  press(message: ShownMessage, label: string): void {
    const button = message.buttons.find(({ text }) => text === label);
    if (button === undefined) throw new Error(`no button ${label}`);
    this.#queries += 1;
    this.#api.push({
      callback_query: {
        id: `${this.id}-${this.#queries}`,
        from: this.#from,
        chat_instance: 'x',
        data: button.callback_data,
        message: {
          message_id: message.message_id,
          date: 1,
          chat: { id: message.chat_id, type: message.chat_id < 0 ? 'supergroup' : 'private' },
        },
      },
    });
  }

  block(blocked = true): void {
    this.#api.setBlocked(this.id, blocked);
    const status = blocked ? 'kicked' : 'member';
    this.#api.push({
      my_chat_member: {
        chat: { id: this.id, type: 'private' },
        from: this.#from,
        date: 1,
        old_chat_member: { status: 'member', user: this.#from },
        new_chat_member: { status, user: this.#from },
      },
    });
  }
}
