import { Readable } from 'node:stream';
import {
  type Attachment,
  ChatError,
  type Message,
  type TelegramActRequest,
  type TelegramActResponse,
} from '@chat-realtime/protocol';
import type { Message as TelegramMessage, User } from 'grammy/types';
import { beforeEach, describe, expect, it } from 'vitest';
import { Operators } from '../people/operators.ts';
import { OperatorReplies } from '../people/replies.ts';
import type { ChatService, FileOwner } from '../ports.ts';
import type { KnownMessage } from '../domain/recognise-message.ts';
import type { BoundOperator } from '../storage/people.ts';
import { TelegramFailure } from '../telegram/failures.ts';
import { textsFor } from '../texts.ts';
import { GroupMembers } from './members.ts';

const BOT = 77;
const GROUP = -100;
const SESSION = 5;
const ANNA: BoundOperator = {
  bindingId: 1,
  userId: 'anna',
  name: 'Анна',
  chatId: 501,
  scope: 'all',
  locale: 'ru',
  onDuty: true,
  status: 'online',
};

let acts: TelegramActRequest['action'][];
let uploads: { owner: FileOwner; name: string }[];
/** The messages in the group, by their number there. */
let known: Map<number, KnownMessage>;
let refuse: (what: 'post' | 'upload') => Error | undefined;
let broken: ReadonlySet<string>;

beforeEach(() => {
  [acts, uploads, broken] = [[], [], new Set()];
  refuse = () => undefined;
  known = new Map([[10, { sessionId: SESSION, seq: 3, messageId: 30, purpose: 'message' }]]);
});

const people = {
  operator: async (id: number) => (id === ANNA.chatId ? ANNA : undefined),
  message: async (_: number, id: number) => known.get(id),
  answeredMessage: async (_: number, id: number) => known.get(id),
  shown: async () => ({ seq: 3, messageId: 30 }),
  queued: async () => new Set<number>(),
  zones: async () => () => 'UTC',
};
function elsewhere(): never {
  throw new Error('nothing of this is asked for');
}
const chatService: ChatService = {
  introduce: elsewhere,
  redeem: elsewhere,
  write: elsewhere,
  blocked: elsewhere,
  openFile: elsewhere,
  async act({ action }): Promise<TelegramActResponse> {
    const error = refuse('post');
    if (error !== undefined) throw error;
    acts.push(action);
    if (action.kind !== 'post') return { kind: 'done' };
    const message: Message = {
      id: 30 + acts.length,
      sender_type: 'operator',
      sender_id: 'anna',
      sender_name: 'Анна',
      body: action.body,
      client_message_id: action.client_message_id,
      attachments: [],
      created_at: '2026-01-01T10:00:00Z',
    };
    return { kind: 'posted', seq: 3 + acts.length, message };
  },
  async upload(owner, { name }): Promise<Attachment> {
    const error = refuse('upload');
    if (error !== undefined) throw error;
    uploads.push({ owner, name });
    return { id: `file-${uploads.length}`, name, size: 1, mime: 'text/plain', url: '/x' };
  },
};
const api = {
  async download(fileId: string) {
    if (broken.has(fileId)) throw new TelegramFailure('refused', 'getFile: file is too big');
    return { content: Readable.from(['x']), size: 1 };
  },
};

function members(language: 'ru' | 'en' = 'ru'): GroupMembers {
  const replies = new OperatorReplies({ botId: BOT, chatService, people, api });
  return new GroupMembers({
    botId: BOT,
    people,
    topics: { sessionOf: async (threadId) => (threadId === 9 ? SESSION : undefined) },
    replies,
    operators: new Operators({ chatService, people, replies, api: { showStaffCommands: async () => undefined } }),
    texts: textsFor(language),
  });
}

const user = (id: number, more: Partial<User> = {}): User => ({ id, is_bot: false, first_name: 'Кто-то', ...more });
const chat = { id: GROUP, type: 'supergroup', title: 'Смена', is_forum: true } as const;
const ofBot = { message_id: 10, date: 1, chat, from: user(BOT, { is_bot: true }), text: 'Где заказ?' };

/** A reply in the topic to the customer's message that the bot shows there. */
function reply(more: Partial<TelegramMessage>, from = user(ANNA.chatId)): TelegramMessage {
  const message = { message_id: 20, date: 1, chat, from, is_topic_message: true, message_thread_id: 9, ...more };
  return { reply_to_message: ofBot, ...message } as TelegramMessage;
}
const said = (outcome: Awaited<ReturnType<GroupMembers['write']>>): string[] =>
  (outcome.topic ?? []).map(({ content }) => (content.kind === 'text' ? content.text : content.kind));
const posted = () => acts.flatMap((action) => (action.kind === 'post' ? [[action.body, action.attachments]] : []));

describe('an edit in a topic', () => {
  const edit = (more: Partial<TelegramMessage>, from?: User) =>
    members().edited(reply({ edit_date: 100, ...more }, from), 'telegram:77:1');

  it('[TG17] of a reply to the customer is sent as a new message, and the topic says so', async () => {
    const first = await members().write([reply({ text: 'Завтра' })], 'telegram:77:1');
    known.set(20, { sessionId: SESSION, seq: 4, messageId: 31, purpose: 'message' });
    expect(first.remember?.map(({ chatId, telegramId }) => [chatId, telegramId])).toEqual([[GROUP, 20]]);
    const outcome = await edit({ text: 'Послезавтра' });
    expect(posted()).toEqual([
      ['Завтра', []],
      ['✎ Послезавтра', []],
    ]);
    expect([said(outcome), outcome.sends]).toEqual([[textsFor('ru').edited], []]);
    // The same edit delivered twice is one message; another edit is another message.
    await edit({ text: 'Послезавтра' });
    await edit({ text: 'В четверг', edit_date: 101 });
    const ids = acts.flatMap((action) => (action.kind === 'post' ? [action.client_message_id] : []));
    expect([new Set(ids).size, ids[1]]).toEqual([3, ids[2]]);
  });

  it('[TG17] of the caption of a file sends the caption, and the file only once', async () => {
    known.set(20, { sessionId: SESSION, seq: 4, messageId: 31, purpose: 'message' });
    const document = { file_id: 'f1', file_unique_id: 'u1', file_name: 'чек.pdf' };
    await edit({ caption: 'Вот новый чек', document });
    expect([posted(), uploads]).toEqual([[['✎ Вот новый чек', []]], []]);
    // Without a caption only the file was replaced, which the chat does not support.
    const replaced = await edit({ document });
    expect([posted().length, said(replaced)]).toEqual([1, [textsFor('ru').editedFile]]);
  });

  it('[TG17] of an answer to other staff, or from an unlinked account, does nothing', async () => {
    expect(await edit({ text: 'Кто сегодня?' })).toEqual({ sends: [] });
    known.set(20, { sessionId: SESSION, seq: 4, messageId: 31, purpose: 'message' });
    expect(await edit({ text: 'Чужое' }, user(999))).toEqual({ sends: [] });
    expect(posted()).toEqual([]);
  });

  it('[TG17] of a chat that they may not see any more is refused with a text', async () => {
    known.set(20, { sessionId: SESSION, seq: 4, messageId: 31, purpose: 'message' });
    refuse = () => new ChatError('session_not_found', 'no such session');
    expect(said(await edit({ text: 'Правка' }))).toEqual([textsFor('ru').failed.session_not_found]);
  });
});

describe('files in a topic', () => {
  const document = (n: number) => ({ file_id: `f${n}`, file_unique_id: `u${n}`, file_name: `${n}.pdf`, file_size: 10 });

  it('[TG17] are sent to the customer in the name of the person who replied, an album as one message', async () => {
    const album = [1, 2, 3].map((n) =>
      reply({
        message_id: 20 + n,
        media_group_id: 'a',
        document: document(n),
        ...(n === 1 ? { caption: 'Чеки' } : {}),
      }),
    );
    const outcome = await members().write(album, 'telegram:77:1');
    expect(posted()).toEqual([['Чеки', ['file-1', 'file-2', 'file-3']]]);
    expect(uploads.map(({ owner, name }) => [owner.kind, name])).toEqual([
      ['operator', '1.pdf'],
      ['operator', '2.pdf'],
      ['operator', '3.pdf'],
    ]);
    expect(said(outcome)).toEqual([]);
  });

  it('[TG17] that are too large or that Telegram does not deliver are named there, and delay nothing else', async () => {
    broken = new Set(['f2']);
    const large = { ...document(1), file_size: 10_485_761 };
    const album = [large, document(2), document(3)].map((file, n) =>
      reply({ message_id: 21 + n, media_group_id: 'a', document: file }),
    );
    const outcome = await members('en').write(album, 'telegram:77:1');
    expect(posted()).toEqual([['', ['file-1']]]);
    expect(said(outcome)).toEqual([textsFor('en').fileTooLarge('1.pdf'), textsFor('en').fileRefused('2.pdf')]);
  });

  it('[TG17] are refused as the chat, not as the file, if the member may not see the chat', async () => {
    refuse = () => new ChatError('session_not_found', 'no such session');
    const outcome = await members().write([reply({ document: document(1) })], 'telegram:77:1');
    expect(said(outcome)).toEqual([textsFor('ru').failed.session_not_found]);
  });

  it('[TG17] that are not replies, as in talk among the staff, are sent nowhere', async () => {
    const { reply_to_message: _, ...talk } = reply({ document: document(1) });
    expect(await members().write([talk], 'telegram:77:1')).toEqual({ sends: [] });
    expect([uploads, acts]).toEqual([[], []]);
  });
});

describe('a message whose number Telegram never returned to the bot', () => {
  it('[TG12] can still be answered by a reply: its topic belongs to one chat', async () => {
    known.clear();
    await members().write([reply({ text: 'Отвечаю на потерянное' })], 'telegram:77:1');
    expect(acts).toMatchObject([{ kind: 'post', session_id: SESSION, body: 'Отвечаю на потерянное' }]);
    const elsewhereInTheGroup = reply({ text: 'Сюда ничего', message_thread_id: 12 });
    expect(await members().write([elsewhereInTheGroup], 'telegram:77:2')).toEqual({ sends: [] });
    expect(acts).toHaveLength(1);
  });
});

describe('scope in a topic', () => {
  it('[TG17] a member who may not see the chat can neither reply nor press its buttons', async () => {
    refuse = () => new ChatError('session_not_found', 'no such session');
    const outcome = await members().write([reply({ text: 'Отвечу' })], 'telegram:77:1');
    expect([said(outcome), outcome.remember]).toEqual([[textsFor('ru').failed.session_not_found], undefined]);
    const query = { id: 'q', from: user(ANNA.chatId), chat_instance: 'c', data: `assign:${SESSION}` };
    const pressed = await members().button(query, 'telegram:77:2');
    expect(pressed.sends).toEqual([]);
    expect(acts).toEqual([]);
  });
});

describe('the language of a group', () => {
  it('[TG17] applies to everything there, whatever language a member’s Telegram has', async () => {
    const stranger = user(999, { language_code: 'ru' });
    expect(said(await members('en').write([reply({ text: 'Нет' }, stranger)], 'r'))).toEqual([
      textsFor('en').group.notBound,
    ]);
    refuse = () => new ChatError('stale', 'another operator acted');
    expect(said(await members('en').write([reply({ text: 'Нет' })], 'r'))).toEqual([textsFor('en').failed.stale]);
    expect(said(await members('ru').write([reply({ text: 'No' })], 'r'))).toEqual([textsFor('ru').failed.stale]);
  });
});
