import { describe, expect, it } from 'vitest';
import { slowest } from '@chat-realtime/testkit';
import { LONGEST_ADDRESS, MOST_LINKS, pageUrl, splitLinks } from './links.ts';

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
  ])('are found in %s', (text, expected) => {
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
  ])('are not made of %s', (text) => {
    expect(links(text)).toEqual([]);
  });

  it('lose no character of the text', () => {
    for (const text of ['a https://x.example/), b', 'https://x.example…', '<img src=x> a@b.cc', '', 'нет ссылок']) {
      expect(
        splitLinks(text)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text);
    }
  });

  it.each([
    ['(см. https://ru.wikipedia.org/wiki/Чай_(напиток))', 1],
    ['a@b.cc,d@e.ff', 2],
    ['anna@shop', 0],
    ['@shop.example', 0],
    ['a@@b.cc', 0],
    ['anna@shop..example', 0],
    ['пишите:anna@shop.example,https://shop.example', 2],
    ['xhttps://shop.example', 0],
  ])('in %s are as many as there are', (text, count) => {
    expect(links(text)).toHaveLength(count);
  });

  it('are not made of addresses that no server accepts, and end after the hundredth', () => {
    expect(links(`https://shop.example/${'a'.repeat(LONGEST_ADDRESS)}`)).toEqual([]);
    expect(links('a@b.cc '.repeat(MOST_LINKS + 5))).toHaveLength(MOST_LINKS);
  });

  it('include the address of a page', () => {
    expect(pageUrl('/a', 'https://shop.example/b')?.href).toBe('https://shop.example/a');
    for (const text of ['javascript:alert(1)', 'mailto:a@b.cc', 'http://', '']) expect(pageUrl(text)).toBeNull();
  });

  it('are found once per text, however often it is drawn', () => {
    expect(splitLinks('see https://shop.example')).toBe(splitLinks('see https://shop.example'));
  });

  it('take time proportional to the length of the text, whatever an outsider writes', () => {
    const { ms, text } = slowest(10_000, splitLinks);
    expect(ms, text).toBeLessThan(40);
  });
});
