import { describe, expect, it } from 'vitest';
import type { Content } from './content.ts';
import { isPhoto, simpler, missingFiles } from './fallback-content.ts';

const file = (mime: string, more: object = {}) => ({ url: '/f/1', name: 'x', mime, size: 5, ...more });
const buttons = [[{ text: 'Взять', data: 'assign:1' }]];

function steps(content: Content): Content[] {
  const all: Content[] = [];
  for (let next = simpler(content); next !== null; next = simpler(next)) all.push(next);
  return all;
}

describe('[TG23] content that Telegram refuses', () => {
  it('is sent as a document if it was a picture or voice, then as its text, which names what is missing', () => {
    for (const mime of ['image/png', 'audio/ogg']) {
      const files = [file(mime)];
      const entities = [{ type: 'bold', offset: 0, length: 4 } as const];
      const text = 'Иван\nВот\n📎 x — см. чат на сайте / see the chat on the site';
      expect(steps({ kind: 'files', files, caption: 'Иван\nВот', entities, buttons })).toEqual([
        { kind: 'files', files, caption: 'Иван\nВот', entities, buttons, asDocuments: true },
        { kind: 'text', text, entities, buttons },
        { kind: 'text', text, buttons },
      ]);
    }
  });

  it('is not sent as a document again if it was one', () => {
    const [first] = steps({ kind: 'files', files: [file('application/pdf')] });
    expect(first).toEqual({ kind: 'text', text: '📎 x — см. чат на сайте / see the chat on the site' });
  });

  it('is named, or counted if there is no room for its names', () => {
    const files = ['счёт.pdf', `${'й'.repeat(70)}.pdf`].map((name) => ({ name }));
    const where = 'см. чат на сайте / see the chat on the site';
    expect(missingFiles(files, 1_000)).toBe(`📎 счёт.pdf, ${'й'.repeat(60)} — ${where}`);
    expect(missingFiles(files, 100)).toBe(`📎 ×2 — ${where}`);
  });

  it('is detected in advance for pictures that are too large or too narrow', () => {
    const sizes = [
      [5_000, 5_000],
      [5_001, 5_000],
      [2_000, 100],
      [100, 2_001],
      [undefined, undefined],
    ];
    expect(sizes.map(([width, height]) => isPhoto(file('image/png', { width, height })))).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
  });
});
