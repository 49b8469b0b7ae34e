import { MESSAGE_MAX } from '../limits.ts';

/** Counted in code points; a text that cannot be too long is not counted. */
export function bodyLength(text: string): number {
  return text.length <= MESSAGE_MAX ? text.length : [...text].length;
}

/** Safari ends a composition before the Enter that ended it: only the old key code tells that key from a real one. */
export function isComposing(event: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean {
  // oxlint-disable-next-line typescript/no-deprecated -- nothing else says it in Safari
  return event.isComposing || event.keyCode === 229;
}

type EnterKey = Pick<
  KeyboardEvent,
  'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey' | 'isComposing' | 'keyCode' | 'defaultPrevented'
>;

/** The effect of a key in the text: on a touch screen Enter only starts a new line, as in every messenger there. */
export function sendOf(
  event: EnterKey,
  { sendBy, touch }: { readonly sendBy: 'enter' | 'ctrl-enter'; readonly touch: boolean },
): 'send' | 'sendNext' | null {
  if (event.key !== 'Enter' || event.shiftKey || event.defaultPrevented || isComposing(event)) return null;
  const modified = event.ctrlKey || event.metaKey;
  if (sendBy === 'enter' && !touch) return modified ? 'sendNext' : 'send';
  if (!modified) return null;
  return event.altKey ? 'sendNext' : 'send';
}

/** Files of a paste. Cells of a table come as text and as a picture of it: the text is what was meant. */
export function pastedFiles(data: Pick<DataTransfer, 'files' | 'getData'> | null): readonly File[] {
  if (data === null || data.getData('text/plain') !== '') return [];
  return [...data.files];
}

/** Whether the person writes on a screen: no focus is set there unasked, it would open the keyboard over the chat. */
export const onTouchScreen = (): boolean => matchMedia('(hover: none) and (pointer: coarse)').matches;

/** Puts a text in as if it was typed, so that the browser's own undo takes it back. */
export function typeInto(field: HTMLTextAreaElement, text: string, from: number, to: number): void {
  field.focus();
  field.setSelectionRange(from, to);
  // oxlint-disable-next-line typescript/no-deprecated -- the only way that keeps the undo of the browser
  if (document.execCommand('insertText', false, text)) return;
  field.setRangeText(text, from, to, 'end');
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
}

export type ComposeWish = 'reply' | 'note' | 'focus';
const WISH = 'console:compose';

/** The composer listens: it alone knows whether it can be written in. */
export const compose = (wish: ComposeWish): void => {
  document.dispatchEvent(new CustomEvent(WISH, { detail: wish }));
};
export function onCompose(listener: (wish: ComposeWish) => void): () => void {
  const onWish = (event: Event): void => {
    if (event instanceof CustomEvent) listener(event.detail as ComposeWish);
  };
  document.addEventListener(WISH, onWish);
  return () => document.removeEventListener(WISH, onWish);
}
/** After a click on a button beside the text: the next letters belong into the text. */
export const backToText = (): void => {
  if (!onTouchScreen()) compose('focus');
};

let stepped: number | null = null;
/** J and K move through the list. While they are used for reading, the text does not take the focus. */
export const steppedTo = (sessionId: number): void => {
  stepped = sessionId;
};
export function takeStep(sessionId: number): boolean {
  const was = stepped === sessionId;
  stepped = null;
  return was;
}
