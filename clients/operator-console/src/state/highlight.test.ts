import { describe, expect, it } from 'vitest';
import { marked, markedLine } from './highlight.ts';

describe('a match of a search', () => {
  const hits = (text: string, query: string) =>
    marked(text, query)
      .map((piece) => (piece.hit ? `[${piece.text}]` : piece.text))
      .join('');
  it('is highlighted regardless of case and of ё', () => {
    expect(hits('Счёт и счет', 'СЧЕТ')).toBe('[Счёт] и [счет]');
    expect(hits('ничего', 'счёт')).toBe('ничего');
    expect(markedLine('Здравствуйте! Пришлите, пожалуйста, счёт', 'счет')).toEqual([
      { text: '…, пожалуйста, ', hit: false },
      { text: 'счёт', hit: true },
    ]);
    expect(hits('İстанбул и счёт', 'счет')).toContain('счёт');
  });
});
