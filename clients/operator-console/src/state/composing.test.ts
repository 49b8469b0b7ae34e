import { describe, expect, it } from 'vitest';
import { MESSAGE_MAX } from '../limits.ts';
import { bodyLength, pastedFiles, sendOf } from './composing.ts';

const key = (more: Partial<Parameters<typeof sendOf>[0]> = {}): Parameters<typeof sendOf>[0] => ({
  ...{ key: 'Enter', shiftKey: false, ctrlKey: false, metaKey: false, altKey: false },
  ...{ isComposing: false, keyCode: 13, defaultPrevented: false },
  ...more,
});
const desktop = { sendBy: 'enter', touch: false } as const;

describe('writing', () => {
  it('Enter sends, and with Ctrl or Cmd also opens the next chat', () => {
    expect(sendOf(key(), desktop)).toBe('send');
    expect(sendOf(key({ ctrlKey: true }), desktop)).toBe('sendNext');
    expect(sendOf(key({ metaKey: true }), desktop)).toBe('sendNext');
    expect(sendOf(key({ shiftKey: true }), desktop)).toBeNull();
    expect(sendOf(key({ key: 'a' }), desktop)).toBeNull();
  });

  it('an Enter that ends an input composition sends nothing, even if only the key code shows it', () => {
    expect(sendOf(key({ isComposing: true }), desktop)).toBeNull();
    expect(sendOf(key({ keyCode: 229 }), desktop)).toBeNull();
  });

  it('Enter begins a new line on a touch screen, and if Ctrl+Enter was chosen for sending', () => {
    expect(sendOf(key(), { sendBy: 'enter', touch: true })).toBeNull();
    expect(sendOf(key({ ctrlKey: true }), { sendBy: 'enter', touch: true })).toBe('send');
    expect(sendOf(key(), { sendBy: 'ctrl-enter', touch: false })).toBeNull();
    expect(sendOf(key({ ctrlKey: true, altKey: true }), { sendBy: 'ctrl-enter', touch: false })).toBe('sendNext');
  });

  it('the length is counted as the server counts it', () => {
    expect(bodyLength('😀'.repeat(MESSAGE_MAX))).toBe(MESSAGE_MAX);
    expect(bodyLength('a'.repeat(MESSAGE_MAX + 2_000))).toBe(MESSAGE_MAX + 2_000);
  });

  it('pasted table cells are text, and a picture alone is a file', () => {
    const picture = new File(['x'], 'image.png', { type: 'image/png' });
    const files = Object.assign([picture], { item: () => picture });
    expect(pastedFiles({ files, getData: () => 'A1\tB1' })).toEqual([]);
    expect(pastedFiles({ files, getData: () => '' })).toEqual([picture]);
    expect(pastedFiles(null)).toEqual([]);
  });
});
