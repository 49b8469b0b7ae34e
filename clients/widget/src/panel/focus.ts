const FOCUSABLE = 'button:not([disabled]),a[href],input:not([disabled]),select,textarea,[tabindex="0"]';

/** Full screen is modal: Tab goes round inside, without touching the page behind. */
export function keepFocusInside(event: KeyboardEvent, panel: HTMLElement | null): void {
  if (event.key !== 'Tab' || panel === null) return;
  const stops = [...panel.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((stop) => stop.offsetParent !== null);
  const [first] = stops;
  const last = stops.at(-1);
  const { activeElement } = panel.getRootNode() as ShadowRoot;
  if (first === undefined || last === undefined) return;
  if (event.shiftKey && (activeElement === first || activeElement === panel)) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && activeElement === last) {
    event.preventDefault();
    first.focus();
  }
}
