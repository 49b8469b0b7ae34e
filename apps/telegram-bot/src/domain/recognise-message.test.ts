import type { Message } from 'grammy/types';
import { describe, expect, it } from 'vitest';
import { textsFor } from '../texts.ts';
import { recogniseMessage } from './recognise-message.ts';

const message = (more: object): Message =>
  ({
    message_id: 10,
    date: 1,
    chat: { id: 501, type: 'private', first_name: 'Анна' },
    from: { id: 77, is_bot: true, first_name: 'Shop' },
    ...more,
  }) as Message;
const withButtons = (...data: string[]) =>
  message({ reply_markup: { inline_keyboard: [data.map((callback_data) => ({ text: 'x', callback_data }))] } });

describe('[TG12] a message of the bot whose number is unknown', () => {
  it('is recognised by the chat of its buttons', () => {
    expect(recogniseMessage(withButtons('assign:13', 'close:13', 'note:13'))).toEqual({
      sessionId: 13,
      seq: null,
      messageId: null,
      purpose: 'message',
    });
  });

  it.each(['ru', 'en'] as const)('is recognised by the words that ask for a note (%s)', (language) => {
    const prompt = message({ text: textsFor(language).writeNote(13) });
    expect(recogniseMessage(prompt)).toMatchObject({ sessionId: 13, purpose: 'note' });
  });

  it('belongs to no chat if it has neither', () => {
    const others = [
      undefined,
      message({ text: 'Готово' }),
      withButtons('duty:online', 'callback:4:assigned'),
      message({ text: textsFor('ru').writeNote(13).replace('13', '1 3') }),
      message({ reply_markup: { inline_keyboard: [[{ text: 'x', url: 'https://shop.example/' }]] } }),
    ];
    expect(others.map(recogniseMessage)).toEqual(others.map(() => undefined));
  });

  it('belongs to no chat if a person wrote it, whatever it looks like', () => {
    const person = { id: 9, is_bot: false, first_name: 'Пётр' };
    expect(recogniseMessage({ ...message({ text: textsFor('ru').writeNote(13) }), from: person })).toBeUndefined();
  });
});
