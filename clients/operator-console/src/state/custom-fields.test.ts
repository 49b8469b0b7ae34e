import { expect, it } from 'vitest';
import { edited, nextName, toSave, worded } from './custom-fields.ts';

it('gives a new question a name that no other has', () => {
  expect(nextName('q', [])).toBe('q1');
  expect(nextName('q', ['q1', 'order', 'q7', 'quiet'])).toBe('q8');
});

const field = { name: 'q1', label: { ru: ' Тема ', en: '' }, required: true };
const options = [{ value: 'o1', label: { ru: 'Доставка', en: ' ' } }];

it('saves no empty texts', () => {
  expect(toSave([{ ...field, kind: 'choice', options }])).toEqual([
    {
      name: 'q1',
      kind: 'choice',
      label: { ru: 'Тема' },
      required: true,
      options: [{ value: 'o1', label: { ru: 'Доставка' } }],
    },
  ]);
});

it('saves options only for a choice', () => {
  expect(toSave([{ ...field, kind: 'text', options }])).toEqual([
    { name: 'q1', kind: 'text', label: { ru: 'Тема' }, required: true },
  ]);
});

it('saves an unchanged question as it was', () => {
  const saved = toSave([{ ...field, kind: 'choice', options }]);
  expect(toSave(edited(saved))).toEqual(saved);
});

it("uses the operator's language, or the one there is", () => {
  expect(worded({ ru: 'Тема', en: 'Topic' }, 'en')).toBe('Topic');
  expect(worded({ ru: 'Тема' }, 'en')).toBe('Тема');
  expect(worded({ en: 'Topic' }, 'ru')).toBe('Topic');
});
