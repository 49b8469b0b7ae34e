import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

describe('sizes and days in words', () => {
  let sizeText: (bytes: number) => string;
  let dateName: (date: string) => string;
  beforeAll(async () => {
    // The stored language of the page, and a browser that prefers Russian.
    vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
    vi.stubGlobal('navigator', { languages: ['ru-RU'] });
    // Another file may already have read the language.
    vi.resetModules();
    ({ sizeText, dateName } = await import('./index.ts'));
  });

  afterAll(() => void vi.unstubAllGlobals());

  it('a size has the units of the language, and is never zero', () => {
    expect([0, 1_536, 2_097_152].map(sizeText)).toEqual(['1 КБ', '1,5 КБ', '2 МБ']);
  });

  it('a day has no time, and is the same in every time zone', () => {
    expect(dateName('2027-01-01')).toBe('1 января 2027 г.');
  });
});
