import { RETURNED } from '../loader/host.ts';

/** What only our own parts should hear; they have heard it when it leaves our element. */
const KEPT = ['paste', 'copy', 'cut', 'drop', 'dragover', 'wheel', 'touchmove'] as const;
const KEYS = ['keydown', 'keyup', 'keypress'] as const;
const POINTERS = ['pointerdown', 'mousedown', 'touchstart'] as const;

/** A part of the page that may hold the focus to itself. */
const MODAL = 'dialog[open],[aria-modal="true"],[role="dialog"],[role="alertdialog"]';
const TOLD = [
  'key',
  'code',
  'location',
  'repeat',
  'isComposing',
  'keyCode',
  'ctrlKey',
  'shiftKey',
  'altKey',
  'metaKey',
];

/**
 * For our own listeners. A plain event: one of keys or of the mouse leaves the shadow root in Firefox whatever it is told,
 * and a click of the mouse would act a second time.
 */
function copyOf(event: Event): Event {
  const copy = new Event(event.type, { bubbles: true, cancelable: true });
  for (const name of [...TOLD, 'button', 'detail'])
    Object.defineProperty(copy, name, { value: Reflect.get(event, name) as unknown });
  return copy;
}

/**
 * The chat is a guest in a page that has its own hotkeys, focus traps and modals. Events that begin in our element are
 * caught on `window`, before all later listeners of the page, and forwarded only inside our shadow root. Only events
 * that we handle ourselves are prevented, so typing, Tab, input methods and the browser's shortcuts keep working.
 * Capture listeners that the page added to `window` before us are out of reach.
 */
export function isolateEvents(element: HTMLElement): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  const options = { capture: true, signal };
  const ours = (event: Event): boolean => event.composedPath().includes(element);
  let focused: EventTarget | null = null;

  const keepInside = (event: Event): void => {
    event.stopImmediatePropagation();
    const [target] = event.composedPath();
    if (target?.dispatchEvent(copyOf(event)) === false) event.preventDefault();
  };
  for (const type of KEYS) window.addEventListener(type, (event) => ours(event) && keepInside(event), options);

  // A trap fetches the focus back as soon as it hears that it went elsewhere.
  window.addEventListener(
    'focusin',
    (event) => {
      if (!ours(event)) return;
      [focused = null] = event.composedPath();
      event.stopImmediatePropagation();
    },
    options,
  );
  window.addEventListener(
    'focusout',
    (event) => {
      const toUs = event.relatedTarget === element && event.target instanceof Element && event.target.closest(MODAL);
      if (ours(event) || toUs) event.stopImmediatePropagation();
      if (ours(event) && element.isConnected) focused = null;
    },
    options,
  );
  window.addEventListener('focus', (event) => ours(event) && event.stopImmediatePropagation(), options);

  // Traps also forbid clicks outside; where nothing of the kind is open, the page may hear them and close its menus.
  const trapped = (event: Event): boolean => ours(event) && document.querySelector(MODAL) !== null;
  for (const type of POINTERS)
    window.addEventListener(type, (event) => trapped(event) && event.stopImmediatePropagation(), options);
  window.addEventListener('click', (event) => trapped(event) && keepInside(event), options);

  for (const type of KEPT)
    element.addEventListener(type, (event) => event.stopPropagation(), { signal, passive: true });

  // A modal that hides the page hides us too; beside it we can be used.
  const watch = new MutationObserver(() =>
    requestAnimationFrame(() => {
      element.removeAttribute('inert');
      element.removeAttribute('aria-hidden');
    }),
  );
  watch.observe(element, { attributeFilter: ['inert', 'aria-hidden'] });
  element.addEventListener(RETURNED, () => focused instanceof HTMLElement && focused.focus({ preventScroll: true }), {
    signal,
  });

  return () => {
    ending.abort();
    watch.disconnect();
  };
}
