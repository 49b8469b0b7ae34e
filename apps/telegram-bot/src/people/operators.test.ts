import type { TelegramActRequest, TelegramActResponse } from '@chat-realtime/protocol';
import type { Message } from 'grammy/types';
import { expect, it } from 'vitest';
import type { Desk } from '../ports.ts';
import type { BoundOperator } from '../storage/people.ts';
import { incomingOf } from './incoming.ts';
import { Operators } from './operators.ts';
import { OperatorReplies } from './replies.ts';

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
const elsewhere = (): never => {
  throw new Error('nothing of this is asked for');
};

it('[TG12] a reply to a text whose number Telegram never told the bot goes to the chat of its buttons', async () => {
  const acts: TelegramActRequest['action'][] = [];
  const desk: Desk = {
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
  };
  const replies = new OperatorReplies({ botId: 77, desk, people, api: { download: elsewhere } });
  const chat = { id: ANNA.chatId, type: 'private', first_name: 'Анна' } as const;
  const lost = {
    message_id: 10,
    date: 1,
    chat,
    from: { id: 77, is_bot: true, first_name: 'Shop' },
    text: 'Вы здесь?',
    reply_markup: { inline_keyboard: [[{ text: 'Взять', callback_data: 'assign:13' }]] },
  };
  const written = { message_id: 20, date: 1, chat, text: 'Здесь', reply_to_message: lost } as Message;
  await new Operators({ desk, people, replies }).write(ANNA, incomingOf([written]), 'telegram:77:1');
  expect(acts).toMatchObject([{ kind: 'post', session_id: 13, body: 'Здесь', expected_seq: 3 }]);
});
