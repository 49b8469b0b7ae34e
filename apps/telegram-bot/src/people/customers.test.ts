import { ChatError, type Message as ChatMessage } from '@chat-realtime/protocol';
import type { Message } from 'grammy/types';
import { describe, expect, it } from 'vitest';
import type { ChatService } from '../ports.ts';
import type { KnownMessage } from '../domain/recognise-message.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { TelegramFailure } from '../telegram/failures.ts';
import { textsFor } from '../texts.ts';
import { Customers } from './customers.ts';
import { incomingOf } from './incoming.ts';

const USER = { id: 801, username: null, name: 'Ольга', locale: 'ru' };
const texts = textsFor('ru');
const elsewhere = (): never => {
  throw new Error('nothing of this is asked for');
};

function customersWith(
  chatService: Partial<ChatService>,
  known?: KnownMessage,
  download: TelegramApi['download'] = elsewhere,
) {
  const menus: boolean[] = [];
  const customers = new Customers({
    botId: 77,
    chatService: {
      ...{ introduce: elsewhere, redeem: elsewhere, act: elsewhere, write: elsewhere, upload: elsewhere },
      ...{ blocked: elsewhere, openFile: elsewhere },
      ...chatService,
    },
    people: {
      customer: async () => ({ bindingId: 1, chatId: USER.id, sessionId: 13, locale: 'ru', linkedSeq: 0 }),
      message: async () => known,
      shown: async () => ({ seq: 3, messageId: 30 }),
    },
    api: {
      download,
      showStaffCommands: async (_chat, shown) => {
        menus.push(shown);
      },
    },
  });
  return { customers, menus };
}

const reply = (): Message => {
  const chat = { id: USER.id, type: 'private', first_name: 'Ольга' } as const;
  const asked = { message_id: 10, date: 1, chat, text: 'x' };
  return { message_id: 20, date: 1, chat, text: 'Скидка 10%', reply_to_message: asked } as Message;
};
const of = (sessionId: number): KnownMessage => ({ sessionId, seq: 1, messageId: 1, purpose: 'message' });

describe('[TG25] a Telegram account that is not linked to an operator', () => {
  it('cannot answer a message of another chat: it becomes a question without an assignee', async () => {
    const { customers } = customersWith({}, of(14));
    const { sends } = await customers.write(USER, incomingOf([reply()]));
    expect(sends).toMatchObject([{ content: { text: texts.notYours } }]);
  });

  it('answers a message of its own chat', async () => {
    const bodies: string[] = [];
    const write: ChatService['write'] = async (action) => {
      bodies.push(action.body);
      return { session_id: 13, created: false, message: { ...MESSAGE, body: action.body } };
    };
    await customersWith({ write }, of(13)).customers.write(USER, incomingOf([reply()]));
    expect(bodies).toEqual(['Скидка 10%']);
  });

  it('[TG6] is told, before the missed messages, that there are more of them, and where', async () => {
    const missed = [{ ...MESSAGE, body: 'Последний' }];
    const redeem = (earlier: object) =>
      customersWith({
        redeem: async () => ({ outcome: 'customer', session_id: 13, missed, ...earlier }),
      }).customers.redeem(USER, 'CODE');
    const said = async (earlier: object) =>
      (await redeem(earlier)).sends.map(({ content }) => (content.kind === 'text' ? content.text : ''));
    const [linked = '', last = ''] = await said({});
    expect([linked, last]).toEqual([texts.linked, 'Последний']);
    expect(await said({ missed_earlier: true })).toEqual([linked, texts.missedEarlier(1), last]);
  });

  it('[TG30] is told which file Telegram did not deliver, and so are the readers of the chat', async () => {
    const bodies: string[] = [];
    const write: ChatService['write'] = async (action) => {
      bodies.push(action.body);
      return { session_id: 13, created: false, message: { ...MESSAGE, body: action.body } };
    };
    const { customers } = customersWith({ write }, undefined, async () => {
      throw new TelegramFailure('unknown', 'getFile: 500', { isLasting: true });
    });
    const chat = { id: USER.id, type: 'private', first_name: 'Ольга' } as const;
    const sent = {
      message_id: 21,
      date: 1,
      chat,
      document: { file_id: 'f', file_unique_id: 'u', file_name: 'чек.pdf' },
    };
    const caption = { ...sent, message_id: 22, caption: 'Мой чек' };
    const { sends } = await customers.write(USER, incomingOf([sent as Message]));
    await customers.write(USER, incomingOf([caption as Message]));
    expect(sends).toMatchObject([{ content: { text: texts.fileLost('чек.pdf') } }]);
    const line = '📎 чек.pdf — не дошёл / did not arrive';
    expect(bodies).toEqual([line, `Мой чек\n${line}`]);
  });

  it('is shown the menu of operators once they are one, and why such an account cannot be a customer', async () => {
    const operator = customersWith({ redeem: async () => ({ outcome: 'operator', user_id: 'anna', name: 'Анна' }) });
    await operator.customers.redeem(USER, 'CODE');
    expect(operator.menus).toEqual([true]);
    const refused = customersWith({
      redeem: async () => {
        throw new ChatError('forbidden', 'x');
      },
    });
    const { sends } = await refused.customers.redeem(USER, 'CODE');
    expect(sends).toMatchObject([{ content: { text: texts.isOperator } }]);
    expect(refused.menus).toEqual([]);
  });
});

describe('[TG7] an edit by a customer', () => {
  const edit = async (message: object, known?: KnownMessage) => {
    const bodies: string[] = [];
    const write: ChatService['write'] = async (action) => {
      bodies.push(action.body);
      return { session_id: 13, created: false, message: { ...MESSAGE, body: action.body } };
    };
    const { customers } = customersWith({ write }, known);
    const { reply_to_message: _, text: __, ...base } = reply();
    const { sends } = await customers.edited(USER, incomingOf([{ ...base, ...message } as Message]), 5);
    return { bodies, said: sends.map(({ content }) => content.kind === 'text' && content.text) };
  };

  it('is sent as a new message, marked as an edit, and they are notified', async () => {
    expect(await edit({ text: 'Заказ 13' }, of(13))).toEqual({ bodies: ['✎ Заказ 13'], said: [texts.edited] });
    expect(await edit({ text: 'Заказ 13' })).toEqual({ bodies: [], said: [] });
  });

  it('of a file without a text sends nothing, and they are notified', async () => {
    const photo = [{ file_id: 'f', file_unique_id: 'u', width: 1, height: 1 }];
    expect(await edit({ photo }, of(13))).toEqual({ bodies: [], said: [texts.editedFile] });
  });
});

const MESSAGE: ChatMessage = {
  id: 31,
  sender_type: 'client',
  body: '',
  attachments: [],
  created_at: '2026-01-01T10:00:00Z',
  client_message_id: null,
};
