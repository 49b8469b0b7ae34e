import { describe, expect, it } from 'vitest';
import { deviceStorage, type KeyValue } from './device-storage.ts';
import { Drafts } from './state/drafts.ts';

function device(room: () => boolean): KeyValue {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => {
      if (!room()) throw new DOMException('full', 'QuotaExceededError');
      values.set(key, value);
    },
    removeItem: (key) => void values.delete(key),
  };
}

describe('a device whose storage is full', () => {
  it('loses no key of a draft: it is shown, and kept as long as the page is open', () => {
    let hasRoom = true;
    const storage = deviceStorage(() => device(() => hasRoom));
    const drafts = new Drafts(storage);
    drafts.setOwner('anna');
    let changes = 0;
    drafts.subscribe(() => (changes += 1));
    drafts.set(1, 'reply', 'half');
    hasRoom = false;
    drafts.set(1, 'reply', 'half a sentence');
    expect([drafts.get(1, 'reply'), changes]).toEqual(['half a sentence', 2]);
    // Another chat was opened meanwhile.
    drafts.setOwner('anna');
    expect(drafts.get(1, 'reply')).toBe('half a sentence');
    hasRoom = true;
    drafts.set(1, 'reply', '');
    drafts.setOwner('anna');
    expect(drafts.get(1, 'reply')).toBe('');
  });
});

describe('a browser that refuses storage', () => {
  it('has a console that remembers while it is open', () => {
    const storage = deviceStorage(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    storage.setItem('key', 'value');
    expect(storage.getItem('key')).toBe('value');
    storage.removeItem('key');
    expect(storage.getItem('key')).toBeNull();
  });

  it('does not hide errors in our code', () => {
    const storage = deviceStorage(() => ({
      ...device(() => true),
      setItem: () => {
        throw new TypeError('a bug');
      },
    }));
    expect(() => storage.setItem('key', 'value')).toThrow('a bug');
  });
});
