import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitText } from './split-text.ts';

describe('splitting a text', () => {
  it('[TG11] cuts at the end of a paragraph if there is one', () => {
    expect(splitText(`${'a'.repeat(7)}\n\n${'b'.repeat(5)}`, 10)).toEqual([`${'a'.repeat(7)}\n\n`, 'bbbbb']);
    expect(splitText('one two three', 8)).toEqual(['one two ', 'three']);
    expect(splitText('x'.repeat(25), 10).map(({ length }) => length)).toEqual([10, 10, 5]);
  });

  it('[TG11] keeps surrogate pairs together', () => {
    expect(splitText('aa😀😀😀', 3)).toEqual(['aa', '😀', '😀', '😀']);
  });

  it('[TG11] loses only white space, and no part is empty or too long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 2, max: 50 }), (text, max) => {
        const parts = splitText(text, max);
        expect(parts.every((part) => part.length <= max && part.trim() !== '')).toBe(true);
        expect(parts.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
      }),
    );
  });
});
