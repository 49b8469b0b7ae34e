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
  it('sends by Enter, and goes on to the next chat with Ctrl or Cmd', () => {
    expect(sendOf(key(), desktop)).toBe('send');
    expect(sendOf(key({ ctrlKey: true }), desktop)).toBe('sendNext');
    expect(sendOf(key({ metaKey: true }), desktop)).toBe('sendNext');
    expect(sendOf(key({ shiftKey: true }), desktop)).toBeNull();
    expect(sendOf(key({ key: 'a' }), desktop)).toBeNull();
  });

  it('sends nothing by the Enter that ends a composition, also where only the key code says so', () => {
    expect(sendOf(key({ isComposing: true }), desktop)).toBeNull();
    expect(sendOf(key({ keyCode: 229 }), desktop)).toBeNull();
  });

  it('begins a line by Enter on a touch screen, and where Ctrl+Enter was chosen', () => {
    expect(sendOf(key(), { sendBy: 'enter', touch: true })).toBeNull();
    expect(sendOf(key({ ctrlKey: true }), { sendBy: 'enter', touch: true })).toBe('send');
    expect(sendOf(key(), { sendBy: 'ctrl-enter', touch: false })).toBeNull();
    expect(sendOf(key({ ctrlKey: true, altKey: true }), { sendBy: 'ctrl-enter', touch: false })).toBe('sendNext');
  });

  it('counts as the server counts', () => {
    expect(bodyLength('😀'.repeat(MESSAGE_MAX))).toBe(MESSAGE_MAX);
    expect(bodyLength('a'.repeat(MESSAGE_MAX + 2_000))).toBe(MESSAGE_MAX + 2_000);
  });

  it('takes cells of a table as their text, and a picture alone as a file', () => {
    const picture = new File(['x'], 'image.png', { type: 'image/png' });
    const files = Object.assign([picture], { item: () => picture });
    expect(pastedFiles({ files, getData: () => 'A1\tB1' })).toEqual([]);
    expect(pastedFiles({ files, getData: () => '' })).toEqual([picture]);
    expect(pastedFiles(null)).toEqual([]);
  });
});
