import type { ConfigResponse } from '@chat-realtime/client';
import { expect, it } from 'vitest';
import { answersFor, type CustomField, judgePrechat, worded } from './prechat.ts';
import { en } from './texts/en.ts';

const FIELDS: CustomField[] = [
  { name: 'order', kind: 'text', label: { ru: 'Заказ' }, required: true },
  {
    name: 'topic',
    kind: 'choice',
    label: { en: 'Topic' },
    required: true,
    options: [{ value: 'delivery', label: { en: 'Delivery' } }],
  },
  { name: 'known', kind: 'checkbox', label: { en: 'I am a customer' }, required: false },
];
const config: ConfigResponse = {
  online: true,
  reply_time_text: '',
  prechat_fields: [],
  custom_fields: FIELDS,
  consent: { version: '1', text: '', url: null },
  texts: {},
  theme: {},
  attachments: { max_bytes: 1, max_per_message: 1, mime: [] },
};
const nobody = { name: '', email: '', phone: '', consent: false };
const judge = (answers: Record<string, string | boolean>) => judgePrechat({ ...nobody, answers }, config, en);

it('[SET10] asks until required questions are answered and required boxes are ticked', () => {
  expect(judge({})).toEqual({ 'answer-order': en.required, 'answer-topic': en.required });
  expect(judge({ order: ' ', topic: 'gone' })).toEqual({ 'answer-order': en.required, 'answer-topic': en.required });
  expect(judge({ order: 'A-1', topic: 'delivery' })).toEqual({});
  expect(judge({ order: 'x'.repeat(501), topic: 'delivery' })).toEqual({ 'answer-order': en.tooLong(501, 500) });
  const must = { ...config, custom_fields: FIELDS.map((field) => ({ ...field, required: true })) };
  expect(judgePrechat({ ...nobody, answers: { order: 'A', topic: 'delivery' } }, must, en)).toEqual({
    'answer-known': en.required,
  });
});

it('[SET10] returns answers to the current questions', () => {
  expect(answersFor({ order: ' A-1 ', topic: 'gone', other: 'x', known: 'yes' }, config)).toEqual({
    order: 'A-1',
    known: false,
  });
  expect(answersFor({ topic: 'delivery', known: true }, config)).toEqual({ topic: 'delivery', known: true });
  expect(answersFor({ order: 'A-1' }, null)).toEqual({});
});

it('[SET10] asks in the language of the page, or in the one there is', () => {
  expect(worded({ ru: 'Заказ', en: 'Order' }, 'en')).toBe('Order');
  expect(worded({ ru: 'Заказ' }, 'en')).toBe('Заказ');
  expect(worded({ en: 'Order' }, 'ru')).toBe('Order');
});
