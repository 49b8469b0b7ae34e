import type { Message, User } from 'grammy/types';
import type { TelegramUser } from '@chat-realtime/protocol';
import { recogniseMessage } from '../domain/recognise-message.ts';
import type { KnownMessage } from '../domain/recognise-message.ts';

/** A file in a message of Telegram. */
export interface IncomingFile {
  readonly fileId: string;
  readonly name: string;
  readonly size: number | undefined;
}

/** The content of a message, or of an album of several. */
export interface Incoming {
  readonly text: string;
  readonly files: readonly IncomingFile[];
  /** The message to which it replies, and what that is by its look. */
  readonly replyTo: number | undefined;
  readonly answered: KnownMessage | undefined;
  readonly messageId: number;
  /** Of each part of an album: any of them can be answered or edited. */
  readonly messageIds: readonly number[];
  /** The same for every part of an album, and for every repeat. */
  readonly key: string;
}

export function incomingOf(messages: readonly Message[]): Incoming {
  const [first] = messages;
  if (first === undefined) throw new Error('a batch without a message');
  const texts = messages.map((message) => message.text ?? message.caption ?? '').filter((text) => text !== '');
  return {
    text: texts.join('\n'),
    files: messages.flatMap(fileOf),
    replyTo: first.reply_to_message?.message_id,
    answered: recogniseMessage(first.reply_to_message),
    messageId: first.message_id,
    messageIds: messages.map(({ message_id: id }) => id),
    // A part that comes late is a message of its own.
    key: String(first.message_id),
  };
}

function fileOf(message: Message): IncomingFile[] {
  const id = message.message_id;
  const photo = message.photo?.at(-1);
  if (photo !== undefined) return [{ fileId: photo.file_id, name: `photo-${id}.jpg`, size: photo.file_size }];
  if (message.voice !== undefined)
    return [{ fileId: message.voice.file_id, name: `voice-${id}.ogg`, size: message.voice.file_size }];
  const named = message.document ?? message.video ?? message.audio ?? message.animation;
  if (named !== undefined)
    return [{ fileId: named.file_id, name: named.file_name ?? `file-${id}`, size: named.file_size }];
  const { video_note: note } = message;
  return note === undefined ? [] : [{ fileId: note.file_id, name: `video-${id}.mp4`, size: note.file_size }];
}

const NAME_MAX = 100;

/** As the chat knows people: no lone surrogate, no NUL, a name of sensible length. */
export function personOf(user: User): TelegramUser {
  const whole = [user.first_name, user.last_name].filter((part) => part !== undefined && part !== '').join(' ');
  const name = [...whole.toWellFormed().replaceAll('\u0000', '')].slice(0, NAME_MAX).join('').trim();
  return {
    id: user.id,
    username: user.username ?? null,
    name: name === '' ? null : name,
    locale: user.language_code?.slice(0, 35) ?? null,
  };
}
