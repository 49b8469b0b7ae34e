import { describe, expect, it } from 'vitest';
import { textFor, withoutEmpty } from './widget-settings.ts';

describe('look and texts', () => {
  it('of one language override the general ones', () => {
    const texts = { title: 'All', 'title.ru': 'Всем' };
    expect([textFor(texts, 'title', 'ru'), textFor(texts, 'title', 'en')]).toEqual(['Всем', 'All']);
  });
  it('are not sent if they were emptied', () => {
    expect(withoutEmpty({ accent: '#112233', title: '  ' })).toEqual({ accent: '#112233' });
  });
});
