import { ChatError, type TelegramActRequest, type TelegramActResponse } from '@chat-realtime/protocol';
import type { Message } from 'grammy/types';
import { describe, expect, it } from 'vitest';
import type { ChatService } from '../ports.ts';
import type { KnownMessage } from '../domain/recognise-message.ts';
import type { BoundOperator } from '../storage/people.ts';
import { incomingOf } from './incoming.ts';
import { Operators } from './operators.ts';
import type { Outcome } from './outcome.ts';
import { OperatorReplies } from './replies.ts';
import { textsFor } from '../texts.ts';

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
const chat = { id: ANNA.chatId, type: 'private', first_name: 'Анна' } as const;
const elsewhere = (): never => {
  throw new Error('nothing of this is asked for');
};

it('[TG12] a reply to a message whose id the bot never received goes to the chat of its buttons', async () => {
  const acts: TelegramActRequest['action'][] = [];
  const chatService: ChatService = {
    introduce: elsewhere,
    redeem: elsewhere,
    write: elsewhere,
    blocked: elsewhere,
    openFile: elsewhere,
    upload: elsewhere,
    act: async ({ action }): Promise<TelegramActResponse> => {
      acts.push(action);
      return { kind: 'done' };
    },
  };
  const people = {
    answeredMessage: async () => undefined,
    message: async () => undefined,
    shown: async () => ({ seq: 3, messageId: 30 }),
    queued: async () => new Set<number>(),
    zones: async () => () => 'UTC',
  };
  const replies = new OperatorReplies({ botId: 77, chatService, people, api: { download: elsewhere } });
  const lost = {
    message_id: 10,
    date: 1,
    chat,
    from: { id: 77, is_bot: true, first_name: 'Shop' },
    text: 'Вы здесь?',
    reply_markup: { inline_keyboard: [[{ text: 'Взять', callback_data: 'assign:13' }]] },
  };
  const written = { message_id: 20, date: 1, chat, text: 'Здесь', reply_to_message: lost } as Message;
  await new Operators({ chatService, people, replies, api: { showStaffCommands: async () => undefined } }).write(
    ANNA,
    incomingOf([written]),
    'telegram:77:1',
  );
  expect(acts).toMatchObject([{ kind: 'post', session_id: 13, body: 'Здесь', expected_seq: 3 }]);
});

const AT = '2026-01-01T10:00:00Z';
const replied = (text: string): Message => {
  const asked = {
    message_id: 10,
    date: 1,
    chat,
    from: { id: 77, is_bot: true, first_name: 'Shop' },
    text: 'Вы здесь?',
  };
  return { message_id: 20, date: 1, chat, text, reply_to_message: asked } as Message;
};

/** Anna as the bot knows her; the last event of chat 13 in her Telegram is the third. */
function operatorsWith(act: ChatService['act'], queued: readonly number[] = [], known?: KnownMessage): Operators {
  const chatService: ChatService = {
    introduce: elsewhere,
    redeem: elsewhere,
    write: elsewhere,
    blocked: elsewhere,
    openFile: elsewhere,
    upload: elsewhere,
    act,
  };
  const people = {
    answeredMessage: async () => ({ sessionId: 13, seq: 3, messageId: 30, purpose: 'message' }),
    message: async () => known,
    shown: async () => ({ seq: 3, messageId: 30 }),
    queued: async () => new Set(queued),
    zones: async () => () => 'UTC',
  };
  const replies = new OperatorReplies({ botId: 77, chatService, people, api: { download: elsewhere } });
  return new Operators({ chatService, people, replies, api: { showStaffCommands: async () => undefined } });
}

const by = (sender: 'client' | 'operator', id: number, body: string, name: string | null) => ({
  ...{ id, sender_type: sender, sender_id: name, sender_name: name, body, attachments: [], created_at: AT },
  client_message_id: null,
});

describe('[TG10] an operator whose colleague wrote meanwhile', () => {
  const stale = new ChatError('stale', 'another operator acted', {
    details: {
      events: [
        { type: 'chat.message', session_id: 13, seq: 4, data: by('client', 40, 'И ещё вопрос', null) },
        {
          type: 'chat.session.assigned',
          session_id: 13,
          seq: 5,
          data: { assigned_user_id: 'boris', assigned_user_name: 'Борис', by: 'boris', at: AT },
        },
        { type: 'chat.message', session_id: 13, seq: 6, data: by('operator', 60, 'Отвечаю я', 'Борис') },
      ],
      last_seq: 6,
      has_more: false,
    },
  });
  const refused = async (queued: readonly number[]): Promise<Outcome> => {
    const operators = operatorsWith(async () => {
      throw stale;
    }, queued);
    return operators.write(ANNA, incomingOf([replied('Здесь')]), 'telegram:77:1');
  };

  it('receives what they have missed, and can then answer again', async () => {
    const { sends } = await refused([]);
    expect(sends.map(({ content }) => content.kind === 'text' && content.text)).toEqual([
      'Чат 13\nИ ещё вопрос',
      'Чат 13 · теперь у «Борис»',
      'Чат 13 · Борис (коллега)\nОтвечаю я',
      textsFor('ru').failed.stale,
    ]);
    expect(sends.map(({ sessionId, seq, messageId }) => [sessionId, seq, messageId])).toEqual([
      [13, 4, 40],
      [13, 5, undefined],
      [13, 6, 60],
      [13, 6, undefined],
    ]);
  });

  it('receives nothing twice that is already on its way', async () => {
    const { sends } = await refused([4]);
    expect(sends.map(({ seq }) => seq)).toEqual([5, 6, 6]);
  });
});

describe('[TG8] a closed chat', () => {
  const reopen = [{ text: 'Открыть снова', data: 'reopen:13' }];

  it('can be reopened by the operator who closed it', async () => {
    const acts: TelegramActRequest['action'][] = [];
    const operators = operatorsWith(async ({ action }) => {
      acts.push(action);
      return { kind: 'done' };
    });
    const from = { id: ANNA.chatId, is_bot: false, first_name: 'Анна' };
    const press = (data: string) =>
      operators.button(ANNA, { id: '1', from, chat_instance: 'x', data }, 'telegram:77:1');
    const closed = await press('close:13');
    expect(closed).toMatchObject({ toast: 'Чат закрыт', sends: [{ sessionId: 13, content: { kind: 'text' } }] });
    expect(closed.sends[0]?.content.buttons?.flat()).toContainEqual(reopen[0]);
    expect(await press('reopen:13')).toEqual({ sends: [], toast: 'Чат открыт' });
    expect(acts.map(({ kind }) => kind)).toEqual(['close', 'reopen']);
  });

  it('offers reopening to an operator who replies to it', async () => {
    const operators = operatorsWith(async () => {
      throw new ChatError('session_closed', 'closed');
    });
    const { sends } = await operators.write(ANNA, incomingOf([replied('Здесь')]), 'telegram:77:1');
    expect(sends).toMatchObject([{ sessionId: 13, content: { buttons: [reopen] } }]);
  });
});

it('[TG31] a callback request that a colleague has taken is refused as a request, not as a chat', async () => {
  const operators = operatorsWith(async () => {
    throw new ChatError('already_assigned', 'taken');
  });
  const from = { id: ANNA.chatId, is_bot: false, first_name: 'Анна' };
  const press = (data: string) => operators.button(ANNA, { id: '1', from, chat_instance: 'x', data }, 'telegram:77:1');
  expect(await press('callback:4:assigned')).toEqual({ sends: [], toast: 'Заявка уже у другого оператора.' });
  expect(await press('assign:13')).toEqual({ sends: [], toast: 'Чат уже у другого оператора.' });
});

describe('[TG8] an edit by an operator', () => {
  const acts: TelegramActRequest['action'][] = [];
  const edit = async (message: object, purpose: string | undefined): Promise<Outcome> => {
    acts.length = 0;
    const known = purpose === undefined ? undefined : { sessionId: 13, seq: null, messageId: null, purpose };
    const operators = operatorsWith(
      async ({ action }) => {
        acts.push(action);
        return { kind: 'done' };
      },
      [],
      known,
    );
    const whole = { message_id: 20, date: 1, edit_date: 2, chat, ...message } as Message;
    return operators.edited(ANNA, incomingOf([whole]), 2, 'telegram:77:1');
  };
  const said = ({ sends }: Outcome) => sends.map(({ content }) => content.kind === 'text' && content.text);
  const texts = textsFor('ru');

  it('is sent as a new message, marked as an edit, and they are notified', async () => {
    expect(said(await edit({ text: 'Три дня' }, 'message'))).toEqual([texts.edited]);
    expect(acts).toMatchObject([{ kind: 'post', session_id: 13, body: '✎ Три дня' }]);
  });

  it('of a note is a new note: the customer does not see it', async () => {
    expect(said(await edit({ text: 'Склад пуст' }, 'note'))).toEqual([texts.editedNote]);
    expect(acts).toMatchObject([{ kind: 'note', session_id: 13, body: '✎ Склад пуст' }]);
  });

  it('of a file without a text sends nothing, and they are notified', async () => {
    const photo = [{ file_id: 'f', file_unique_id: 'u', width: 1, height: 1 }];
    expect(said(await edit({ photo }, 'message'))).toEqual([texts.editedFile]);
    expect(acts).toEqual([]);
  });

  it('of a message outside any chat does nothing', async () => {
    expect(said(await edit({ text: 'Три дня' }, undefined))).toEqual([]);
    expect(acts).toEqual([]);
  });

  it('may change any part of an album, and a note', async () => {
    const operators = operatorsWith(async ({ action }) => {
      if (action.kind !== 'post') return { kind: 'done' };
      const message = { ...by('operator', 50, 'x', 'Анна'), client_message_id: action.client_message_id };
      return { kind: 'posted', seq: 5, message };
    });
    const part = (id: number) => ({ ...replied('Фото'), message_id: id, text: undefined, caption: `Фото ${id}` });
    const album = incomingOf([part(20), part(21), part(22)] as Message[]);
    const { remember = [] } = await operators.write(ANNA, album, 'telegram:77:1');
    expect(remember.map(({ telegramId, purpose }) => [telegramId, purpose])).toEqual([
      [20, 'message'],
      [21, 'message'],
      [22, 'message'],
    ]);
  });
});
