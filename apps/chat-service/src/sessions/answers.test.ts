import { ChatError, type CustomField, customFieldsPatchSchema } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { answersTo } from './answers.ts';

const ORDER: CustomField = { name: 'order', kind: 'text', label: { ru: 'Номер заказа' }, required: true };
const TOPIC: CustomField = {
  name: 'topic',
  kind: 'choice',
  label: { ru: 'Тема', en: 'Topic' },
  required: false,
  options: [
    { value: 'delivery', label: { ru: 'Доставка', en: 'Delivery' } },
    { value: 'constructor', label: { en: 'Other' } },
  ],
};
const KNOWN: CustomField = { name: 'known', kind: 'checkbox', label: { en: 'I am a customer' }, required: true };
const FIELDS = [ORDER, TOPIC, KNOWN];

describe('[SET10] answers to the questions of a site', () => {
  it('are stored in the order of the questions, with their text', () => {
    expect(answersTo(FIELDS, { known: false, topic: 'delivery', order: ' A-1 ' })).toEqual([
      { name: 'order', kind: 'text', label: ORDER.label, value: 'A-1' },
      {
        name: 'topic',
        kind: 'choice',
        label: TOPIC.label,
        value: 'delivery',
        text: { ru: 'Доставка', en: 'Delivery' },
      },
      { name: 'known', kind: 'checkbox', label: KNOWN.label, value: false },
    ]);
  });

  it('omit unknown questions and empty answers', () => {
    expect(answersTo(FIELDS, { order: '  ', topic: '', gone: 'x', __proto__: 'x' })).toEqual([]);
    expect(answersTo([], { order: 'A-1' })).toEqual([]);
  });

  it.each([
    ['answers.order', { order: true }],
    ['answers.topic', { topic: 'refund' }],
    ['answers.topic', { topic: 'toString' }],
    ['answers.topic', { topic: true }],
    ['answers.known', { known: 'yes' }],
  ] as const)('are refused at %s if they are of another kind: %j', (path, given) => {
    const error = (() => {
      try {
        return answersTo(FIELDS, given);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(ChatError);
    expect(error).toMatchObject({ code: 'validation_failed', details: { fields: [{ path }] } });
  });
});

describe('[SET10] questions of a site', () => {
  const accepts = (fields: unknown): boolean => customFieldsPatchSchema.safeParse(fields).success;
  const many = (count: number) => Array.from({ length: count }, (_, index) => ({ ...ORDER, name: `q${index}` }));

  it('are normalised: a trimmed text, the value of an option, yes or no', () => {
    expect(customFieldsPatchSchema.parse(FIELDS)).toEqual(FIELDS);
    expect(accepts(many(8))).toBe(true);
  });

  it.each([
    ['nine of them', many(9)],
    ['two of one name', [ORDER, ORDER]],
    ['a name that is none', [{ ...ORDER, name: 'Order №' }]],
    ['no words', [{ ...ORDER, label: {} }]],
    ['empty words', [{ ...ORDER, label: { ru: '' } }]],
    ['another language', [{ ...ORDER, label: { ru: 'x', de: 'x' } }]],
    ['another kind', [{ ...ORDER, kind: 'date' }]],
    ['options of a text', [{ ...ORDER, options: TOPIC.options }]],
    ['a choice without options', [{ ...TOPIC, options: undefined }]],
    ['a choice of none', [{ ...TOPIC, options: [] }]],
    ['two options of one value', [{ ...TOPIC, options: [TOPIC.options?.[0], TOPIC.options?.[0]] }]],
    ['an unknown key', [{ ...ORDER, hint: 'x' }]],
    ['an unknown key of an option', [{ ...TOPIC, options: [{ value: 'a', label: { ru: 'x' }, icon: 'x' }] }]],
    [
      'more than 8 KiB',
      many(8).map((field) => ({
        ...field,
        kind: 'choice',
        options: Array.from({ length: 12 }, (_, index) => ({ value: `o${index}`, label: { ru: 'я'.repeat(80) } })),
      })),
    ],
  ])('are refused with %s', (_, fields) => {
    expect(accepts(fields)).toBe(false);
  });
});
