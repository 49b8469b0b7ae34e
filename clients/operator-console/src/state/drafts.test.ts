import { describe, expect, it } from 'vitest';
import { Drafts } from './drafts.ts';

function memory(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

describe('drafts', () => {
  it('are kept per session, kind and operator, and survive a reload', () => {
    const storage = memory();
    const before = new Drafts(storage);
    before.setOwner('anna');
    before.set(1, 'reply', 'half a senten');
    before.set(1, 'note', 'a note');
    const after = new Drafts(storage);
    after.setOwner('anna');
    expect([after.get(1, 'reply'), after.get(1, 'note'), after.get(2, 'reply')]).toEqual([
      'half a senten',
      'a note',
      '',
    ]);
    after.setOwner('boris');
    expect(after.get(1, 'reply')).toBe('');
  });
});
