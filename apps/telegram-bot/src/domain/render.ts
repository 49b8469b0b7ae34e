import {
  type Attachment,
  type CallbackStaff,
  firstCharacters,
  type Message,
  shortened,
  type TelegramSession,
} from '@chat-realtime/protocol';
import type { Texts } from '../texts.ts';
import { buttonData } from './commands.ts';
import { type Button, type Content, TextBuilder } from './content.ts';
import { MISSING_FILES_MAX } from './fallback-content.ts';
import { timeText } from './time-text.ts';
import { CAPTION_MAX, splitText, TEXT_MAX } from './split-text.ts';

/** The author, in bold above a text. */
export interface Heading {
  readonly title: string;
  readonly detail?: string | undefined;
}

/** The buttons of a chat. */
export function chatButtons(texts: Texts, sessionId: number, state: 'free' | 'mine' | 'closed'): Button[][] {
  const { take, close, note, reopen } = texts.buttons;
  const button = (text: string, kind: 'assign' | 'close' | 'note' | 'reopen'): Button => ({
    text,
    data: buttonData({ kind, sessionId }),
  });
  if (state === 'closed') return [[button(reopen, 'reopen'), button(note, 'note')]];
  if (state === 'free') return [[button(take, 'assign'), button(close, 'close'), button(note, 'note')]];
  return [[button(close, 'close'), button(note, 'note')]];
}

/**
 * A message, its files and its heading in the form that Telegram accepts: texts in parts, pictures with a caption if it
 * fits.
 */
export function messageContents(heading: Heading | null, message: Message, buttons?: Button[][]): Content[] {
  return textAndFiles(heading, message.body, message.attachments, buttons);
}

export function textAndFiles(
  heading: Heading | null,
  body: string,
  attachments: readonly Attachment[],
  buttons?: Button[][],
): Content[] {
  const head = new TextBuilder();
  if (heading !== null) {
    head.formatted('bold', heading.title);
    if (heading.detail !== undefined && heading.detail !== '') head.add(` · ${heading.detail}`);
  }
  const whole = head.text === '' ? body : body === '' ? head.text : `${head.text}\n${body}`;
  const { entities } = head;
  const files = attachments.map(({ id: _id, url = '', ...file }) => ({ ...file, url }));
  const withButtons = buttons === undefined ? {} : { buttons };
  // An album has no buttons: they are under the text before it.
  const underText = files.length === 0 || (files.length > 1 && buttons !== undefined && whole !== '');
  if (files.length > 0 && whole.length <= CAPTION_MAX - MISSING_FILES_MAX && !underText)
    return [{ kind: 'files', files, ...(whole === '' ? {} : { caption: whole, entities }), ...withButtons }];
  const parts = splitText(whole, TEXT_MAX);
  const texts = parts.map((text, index): Content => {
    const isLast = index === parts.length - 1 && underText;
    return { kind: 'text', text, ...(index === 0 ? { entities } : {}), ...(isLast ? withButtons : {}) };
  });
  return files.length === 0 ? texts : [...texts, { kind: 'files', files, ...(underText ? {} : withButtons) }];
}

const LINE_MAX = 200;
const COMMENT_MAX = 1_000;

/** One chat of `/open` or `/mine`: a message of its own, so that it can be replied to. */
export function listedSession(texts: Texts, session: TelegramSession, userId: string): Content {
  const builder = new TextBuilder().formatted('bold', sessionTitle(texts, session.id, session.name));
  const whose = session.assigned_user_id === null ? texts.newChat : (session.assigned_user_name ?? texts.ofOther);
  builder.add(` · ${whose}`);
  if (session.unread_count > 0) builder.add(` · +${session.unread_count}`);
  if (session.last_message !== null) builder.add(`\n${lineOf(session.last_message)}`);
  const state = session.status === 'closed' ? 'closed' : session.assigned_user_id === userId ? 'mine' : 'free';
  return {
    kind: 'text',
    text: builder.text,
    entities: builder.entities,
    buttons: chatButtons(texts, session.id, state),
  };
}

export function sessionTitle(texts: Texts, id: number, name: string | null): string {
  return name === null || name.trim() === ''
    ? texts.chat(id)
    : `${firstCharacters(name, LINE_MAX)} · ${texts.chat(id)}`;
}

function lineOf(text: string): string {
  return shortened(text.replaceAll(/\s+/g, ' ').trim(), LINE_MAX);
}

/** Its time is in the reader's time zone. `detail`: shown in place of its status. */
export function callbackContent(texts: Texts, callback: CallbackStaff, timeZone: string, detail?: string): Content {
  const { id, status, phone, name, comment, preferred_at: at } = callback;
  const builder = new TextBuilder()
    .formatted('bold', texts.callback(id))
    .add(` · ${detail ?? texts.callbackStatus(status)}\n`);
  builder.add([phone, name].filter((part) => part !== null && part !== '').join(', '));
  if (at !== null) builder.add(`\n${texts.when(timeText(at, timeZone))}`);
  if (comment !== null && comment !== '') builder.add(`\n${shortened(comment, COMMENT_MAX)}`);
  const button = (text: string, next: CallbackStaff['status']): Button => ({
    text,
    data: buttonData({ kind: 'callback', id, status: next }),
  });
  const { takeCall, calling, done, noAnswer } = texts.buttons;
  // The steps that a request in this state can take: any other button would be refused.
  const rows: Record<CallbackStaff['status'], Button[][]> = {
    new: [[button(takeCall, 'assigned')]],
    assigned: [[button(calling, 'calling')]],
    calling: [[button(done, 'done'), button(noAnswer, 'no_answer')]],
    no_answer: [[button(calling, 'calling')]],
    done: [],
    cancelled: [],
  };
  return { kind: 'text', text: builder.text, entities: builder.entities, buttons: rows[status] };
}
