/** By physical key, so that they are the same in a Russian and an English layout. */
export type ShortcutName =
  | 'next'
  | 'previous'
  | 'reply'
  | 'note'
  | 'claim'
  | 'transfer'
  | 'close'
  | 'closeNext'
  | 'search'
  | 'view1'
  | 'view2'
  | 'view3'
  | 'view4'
  | 'card'
  | 'help'
  | 'escape';

const PLAIN: Readonly<Record<string, ShortcutName>> = {
  KeyJ: 'next',
  KeyK: 'previous',
  KeyR: 'reply',
  KeyN: 'note',
  KeyI: 'claim',
  KeyA: 'transfer',
  KeyE: 'close',
  KeyC: 'card',
  Slash: 'search',
  Digit1: 'view1',
  Digit2: 'view2',
  Digit3: 'view3',
  Digit4: 'view4',
};
const SHIFTED: Readonly<Record<string, ShortcutName>> = { KeyE: 'closeNext', Slash: 'help', Digit7: 'help' };

export type KeyPress = Pick<KeyboardEvent, 'code' | 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey' | 'repeat'>;

/** Null in text fields (but for Escape), with Ctrl, Alt or Meta, and when shortcuts are off. */
export function shortcutOf(
  press: KeyPress,
  where: { readonly typing: boolean; readonly enabled: boolean },
): ShortcutName | null {
  if (press.code === 'Escape') return 'escape';
  if (where.typing || !where.enabled || press.ctrlKey || press.metaKey || press.altKey) return null;
  // A question mark is one wherever the layout has it.
  if (press.key === '?') return 'help';
  const name = (press.shiftKey ? SHIFTED : PLAIN)[press.code] ?? null;
  return press.repeat && name !== 'next' && name !== 'previous' ? null : name;
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit', 'file'].includes(target.type);
}
