import { describe, expect, it } from 'vitest';
import { type KeyPress, shortcutOf } from './shortcuts.ts';

const press = (code: string, key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  ...{ code, key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, repeat: false },
  ...more,
});
const here = { typing: false, enabled: true };

describe('shortcuts', () => {
  it('are the same keys in a Russian and an English layout', () => {
    expect(shortcutOf(press('KeyJ', 'j'), here)).toBe('next');
    expect(shortcutOf(press('KeyJ', 'о'), here)).toBe('next');
    expect(shortcutOf(press('Slash', '.'), here)).toBe('search');
  });

  it('accept a question mark wherever the layout has it', () => {
    expect(shortcutOf(press('Slash', '?', { shiftKey: true }), here)).toBe('help');
    expect(shortcutOf(press('Digit7', '?', { shiftKey: true }), here)).toBe('help');
  });

  it('do nothing in text fields', () => {
    expect(shortcutOf(press('KeyE', 'e'), { typing: true, enabled: true })).toBeNull();
  });

  it('do nothing with modifiers', () => {
    expect(shortcutOf(press('KeyR', 'r', { ctrlKey: true }), here)).toBeNull();
  });

  it('do nothing when turned off', () => {
    expect(shortcutOf(press('KeyR', 'r'), { typing: false, enabled: false })).toBeNull();
  });

  it('include Escape in text fields, and when turned off', () => {
    expect(shortcutOf(press('Escape', 'Escape'), { typing: true, enabled: false })).toBe('escape');
  });

  it('leave the current chat only with Shift: closing and going to the next', () => {
    expect(shortcutOf(press('KeyE', 'у'), here)).toBe('close');
    expect(shortcutOf(press('KeyE', 'У', { shiftKey: true }), here)).toBe('closeNext');
  });

  it('repeat only for moving through the list', () => {
    expect(shortcutOf(press('KeyJ', 'j', { repeat: true }), here)).toBe('next');
    expect(shortcutOf(press('KeyE', 'e', { repeat: true }), here)).toBeNull();
  });
});
