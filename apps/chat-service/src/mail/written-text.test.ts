import { describe, expect, it } from 'vitest';
import { writtenText } from './read-mail.ts';

describe('what somebody wrote in their mail', () => {
  it('[MAIL4] comes without the mail it answers and without a signature', () => {
    const mail = 'Да, подойдёт.\r\n\r\nOn Mon, Jan 5, 2026 at 10:00 AM Shop <a@shop.example> wrote:\r\n> Завтра?\r\n';
    expect(writtenText(mail)).toBe('Да, подойдёт.');
  });

  it('[MAIL4] is read in a bounded time, whatever a stranger writes', () => {
    const size = 12_000;
    const hostile = [
      '\n'.repeat(size),
      `On ${'x '.repeat(size / 2)}`,
      '1'.repeat(size),
      '>'.repeat(size),
      '\n \n'.repeat(4_000),
    ];
    for (const text of hostile) {
      const began = performance.now();
      writtenText(text);
      // It is given up after 200 ms; the rest is a busy machine. Without a bound: up to a minute.
      expect(performance.now() - began).toBeLessThan(3_000);
    }
    expect(writtenText(`Да\n> нет\n${'1'.repeat(size)}`)).toMatch(/^Да\n1+$/);
  });
});
