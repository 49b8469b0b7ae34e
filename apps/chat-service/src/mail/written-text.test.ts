import { describe, expect, it } from 'vitest';
import { writtenText } from './written-text.ts';

describe('the text that a person wrote in their mail', () => {
  it('[MAIL4] excludes the quoted mail and the signature', () => {
    const mail = 'Да, подойдёт.\r\n\r\nOn Mon, Jan 5, 2026 at 10:00 AM Shop <a@shop.example> wrote:\r\n> Завтра?\r\n';
    expect(writtenText(mail)).toEqual({ text: 'Да, подойдёт.', isCut: false });
  });

  const quoted = '> — Ответьте выше этой строки —\n> Куда привезти?\n> Когда удобно?';
  it.each([
    ['above what it answers', `Да.\n\nпн, 5 янв. 2026 г. в 10:00, Shop <a@shop.example>:\n\n${quoted}\n`, 'Да.'],
    ['below it', `On Mon, Jan 5, 2026 at 10:00 AM Shop <a@shop.example> wrote:\n${quoted}\n\nВ Казань\n`, 'В Казань'],
    [
      'between its lines',
      '> — Ответьте выше этой строки —\n> Куда привезти?\n\nВ Казань\n\n> Когда удобно?\n\nЗавтра\n',
      'В Казань\n\nЗавтра',
    ],
    ['above and below', `Отвечаю ниже.\n\n${quoted}\n\nВ Казань, завтра\n`, 'Отвечаю ниже.\n\nВ Казань, завтра'],
  ])('[MAIL4] is found %s', (_, mail, text) => {
    expect(writtenText(mail)).toEqual({ text, isCut: false });
  });

  it('[MAIL4] contains nothing of our mail, even if a program broke its lines or removed the quotation marks', () => {
    const long = 'Мы можем привезти заказ завтра с десяти до восемнадцати часов, и курьер позвонит за час до';
    expect(writtenText(`Да\n\n${quoted}\n> ${long}\nприезда.\n> Хорошо?\n`).text).toBe('Да');
    expect(writtenText('Да\n\n— Ответьте выше этой строки —\n\nКуда привезти?\n').text).toBe('Да');
  });

  it('[MAIL4] is marked as cut if it is too long, but not if only the quotation is', () => {
    const letter = 'слово '.repeat(2_500);
    const { text, isCut } = writtenText(letter);
    expect([isCut, text.length < 12_010, text.endsWith('[…]')]).toEqual([true, true, true]);
    expect(writtenText(`Да\n\n${quoted}\n${`> ${'слово '.repeat(10)}\n`.repeat(400)}`)).toEqual({
      text: 'Да',
      isCut: false,
    });
  });

  it('[MAIL4] is extracted in a limited time, whatever a stranger writes', () => {
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
      // Parsing gives up after 200 ms; the rest allows for a busy machine. Without a limit it takes up to a minute.
      expect(performance.now() - began).toBeLessThan(3_000);
    }
    expect(writtenText(`Да\n> нет\n${'1'.repeat(size - 20)}`).text).toMatch(/^Да\n1+$/);
  });
});
