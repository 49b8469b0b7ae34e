import { expect, it } from 'vitest';
import { edited, nextName, toSave, worded } from './custom-fields.ts';

it('names a new question as no other is named', () => {
  expect(nextName('q', [])).toBe('q1');
  expect(nextName('q', ['q1', 'order', 'q7', 'quiet'])).toBe('q8');
});

it('saves no empty words, and options only of a choice', () => {
  const field = { name: 'q1', label: { ru: ' Тема ', en: '' }, required: true };
  const options = [{ value: 'o1', label: { ru: 'Доставка', en: ' ' } }];
  expect(toSave([{ ...field, kind: 'choice', options }])).toEqual([
    {
      name: 'q1',
      kind: 'choice',
      label: { ru: 'Тема' },
      required: true,
      options: [{ value: 'o1', label: { ru: 'Доставка' } }],
    },
  ]);
  expect(toSave([{ ...field, kind: 'text', options }])).toEqual([
    { name: 'q1', kind: 'text', label: { ru: 'Тема' }, required: true },
  ]);
  const saved = toSave([{ ...field, kind: 'choice', options }]);
  expect(toSave(edited(saved))).toEqual(saved);
});

it('speaks the language of the operator, or the one there is', () => {
  expect(worded({ ru: 'Тема', en: 'Topic' }, 'en')).toBe('Topic');
  expect(worded({ ru: 'Тема' }, 'en')).toBe('Тема');
  expect(worded({ en: 'Topic' }, 'ru')).toBe('Topic');
});
