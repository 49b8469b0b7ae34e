import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { languageOf } from './language.ts';
import * as p from './primitives.ts';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('primitives', () => {
  it('[ERR6] ids and seq are whole numbers from 1 to below 2^53', () => {
    for (const good of [1, 42, Number.MAX_SAFE_INTEGER]) expect(accepts(p.sessionIdSchema, good)).toBe(true);
    for (const bad of [
      0,
      -1,
      1.5,
      '1',
      2 ** 53,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      null,
      undefined,
      [1],
      { id: 1 },
      true,
    ]) {
      expect(accepts(p.sessionIdSchema, bad), String(bad)).toBe(false);
      expect(accepts(p.seqSchema, bad), String(bad)).toBe(false);
      expect(accepts(p.messageIdSchema, bad), String(bad)).toBe(false);
    }
    expect(accepts(p.seqCursorSchema, 0)).toBe(true);
  });

  it('[EVT8] a time has an offset', () => {
    for (const good of ['2025-11-08T10:30:11+03:00', '2025-11-08T10:30:11Z', '2025-11-08T10:30:11.123456Z'])
      expect(accepts(p.timestampSchema, good)).toBe(true);
    for (const bad of [
      '2025-11-08T10:30:11',
      '2025-11-08',
      '2025-13-08T10:30:11Z',
      1762587011,
      '',
      '2025-11-08 10:30:11Z',
    ]) {
      expect(accepts(p.timestampSchema, bad), String(bad)).toBe(false);
    }
  });

  it('[MSG3] a UUID of any version is accepted and compared in lower case', () => {
    expect(p.uuidSchema.parse('6F9619FF-8B86-D011-B42D-00CF4FC964FF')).toBe('6f9619ff-8b86-d011-b42d-00cf4fc964ff');
    for (const good of ['00000000-0000-0000-0000-000000000000', '018f5b6e-0000-7000-8000-000000000000'])
      expect(accepts(p.uuidSchema, good)).toBe(true);
    for (const bad of [
      '',
      '6f9619ff8b86d011b42d00cf4fc964ff',
      '{6f9619ff-8b86-d011-b42d-00cf4fc964ff}',
      '6f9619ff-8b86-d011-b42d-00cf4fc964fg',
      '6f9619ff-8b86-d011-b42d-00cf4fc964ff\n',
      5,
    ]) {
      expect(accepts(p.uuidSchema, bad), String(bad)).toBe(false);
    }
  });

  it('[FEED3] a feed cursor is a decimal string; one of version 0.1 is parsed and invalid', () => {
    for (const good of ['0', '735', '9007199254740991', '0.0', '735.12', '18446744073709551615.9007199254740991'])
      expect(accepts(p.feedCursorSchema, good)).toBe(true);
    expect(['0', '735', '735.12'].map((cursor) => p.feedSeqOf(cursor))).toEqual([0, 735, undefined]);
    for (const bad of ['', '5.', '.5', '-1.5', '5.5.5', ' 5.5', '5.5\n', 'a.b', 5.5, 5, '-1'])
      expect(accepts(p.feedCursorSchema, bad), String(bad)).toBe(false);
  });
});

describe('text', () => {
  it('[ERR8] is counted in code points: 10,000 emoji are accepted, 10,001 letters are not', () => {
    expect(accepts(p.messageBodySchema, '😀'.repeat(10_000))).toBe(true);
    expect(accepts(p.messageBodySchema, '😀'.repeat(10_001))).toBe(false);
    expect(accepts(p.messageBodySchema, 'a'.repeat(10_000))).toBe(true);
    expect(accepts(p.messageBodySchema, 'a'.repeat(10_001))).toBe(false);
  });

  it('[ERR8] must contain more than white space', () => {
    for (const bad of ['', ' ', '\n\t\r ', '\u00a0\u2003\u3000', '\ufeff'])
      expect(accepts(p.messageBodySchema, bad), JSON.stringify(bad)).toBe(false);
    for (const good of ['.', ' a ', '\n0']) expect(accepts(p.messageBodySchema, good)).toBe(true);
    expect(accepts(p.optionalMessageBodySchema, '')).toBe(true);
  });

  it('[ERR9] must contain no NUL and no lone surrogate, at any place', () => {
    for (const bad of [
      '\u0000',
      'a\u0000b',
      'a\u0000',
      '\ud83d',
      'a\ude00',
      '\ud83dx',
      '\ude00\ud83d',
      'x\ud83d\ud83d\ude00',
    ]) {
      expect(accepts(p.safeText(100), bad), JSON.stringify(bad)).toBe(false);
    }
    for (const good of ['', '😀', '\u2028', '\u202e', 'e\u0301', '\ufffd', '\u0001'])
      expect(accepts(p.safeText(100), good), JSON.stringify(good)).toBe(true);
  });

  it('[ERR9] is accepted exactly if UTF-8 can hold it and it has no NUL', () => {
    const units = fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
      .map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(units, (text) => {
        const survives = Buffer.from(text, 'utf8').toString('utf8') === text && !text.includes('\u0000');
        expect(accepts(p.safeText(100), text)).toBe(survives);
      }),
      { numRuns: 2_000 },
    );
  });

  it('[ERR8] has as many code points as it iterates over', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => p.codePointLength(text) === [...text].length));
  });

  it('[ERR8] is cut between code points, and stays well-formed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 12 }), (text, max) => {
        const cut = p.firstCharacters(text, max);
        expect(cut).toBe([...text].slice(0, max).join(''));
        expect(cut.isWellFormed()).toBe(true);
      }),
    );
    expect(p.firstCharacters(`a${'😀'.repeat(100)}`, 200)).toBe(`a${'😀'.repeat(100)}`);
  });
});

it('an id is read from a text, and nothing else', () => {
  expect(['1', '42', '9007199254740991'].map(p.parseId)).toEqual([1, 42, 9_007_199_254_740_991]);
  for (const text of ['', '0', '01', '-1', '1.5', '1e3', ' 1', '9007199254740992', '99999999999999999', undefined])
    expect([text, p.parseId(text)]).toEqual([text, undefined]);
});

it.each([
  [null, 'ru'],
  [undefined, 'ru'],
  ['ru-RU', 'ru'],
  ['uk', 'ru'],
  ['BE', 'ru'],
  ['kk-KZ', 'ru'],
  ['en', 'en'],
  ['de-DE', 'en'],
] as const)('a person of locale %s is addressed in %s', (locale, language) => {
  expect(languageOf(locale)).toBe(language);
});
