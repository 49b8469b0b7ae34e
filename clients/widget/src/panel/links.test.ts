import { describe, expect, it } from 'vitest';
import { splitLinks } from './links.ts';

const links = (text: string) => splitLinks(text).flatMap(({ href }) => (href === null ? [] : [href]));

describe('links in messages', () => {
  it.each([
    ['см. https://shop.example/a?b=1#c.', ['https://shop.example/a?b=1#c']],
    ['(http://shop.example)', ['http://shop.example/']],
    [
      'https://ru.wikipedia.org/wiki/Чай_(напиток)',
      ['https://ru.wikipedia.org/wiki/%D0%A7%D0%B0%D0%B9_(%D0%BD%D0%B0%D0%BF%D0%B8%D1%82%D0%BE%D0%BA)'],
    ],
    ['пишите на anna@shop.example!', ['mailto:anna@shop.example']],
    ['mailto:anna@shop.example', ['mailto:anna@shop.example']],
  ])('finds them in %s', (text, expected) => {
    expect(links(text)).toEqual(expected);
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https',
    'ftp://x.example',
    '//x.example',
  ])('makes none of %s', (text) => {
    expect(links(text)).toEqual([]);
  });

  it('loses no character of the text', () => {
    for (const text of ['a https://x.example/), b', 'https://x.example…', '<img src=x> a@b.cc', '', 'нет ссылок']) {
      expect(
        splitLinks(text)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text);
    }
  });
});
