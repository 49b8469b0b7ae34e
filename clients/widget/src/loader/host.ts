/** Fires on the element when it was put back after the page took it out. */
export const RETURNED = 'returned';

const NAME = 'chat-widget';

/** The one element that lives. All others of its name are copies a page made of itself, and dead. */
let living: HostPlace | null = null;

export interface HostPlace {
  readonly element: HTMLElement;
  /** Puts the element back if it is out; false: the page has no body to put it into. */
  settle(): boolean;
  /** Moves it into an element, such as a native dialog; null: to the end of the body again. */
  move(into: Element | null): void;
  remove(): void;
}

/** A page that replaces its body (Turbo, htmx, Livewire) neither loses the element nor keeps copies of it. */
function define(): void {
  if (customElements.get(NAME)) return;
  customElements.define(
    NAME,
    class extends HTMLElement {
      connectedCallback(): void {
        if (this !== living?.element) this.remove();
      }
      disconnectedCallback(): void {
        // Once a frame at most, so that a page which takes it out again and again is not held up.
        if (this === living?.element) requestAnimationFrame(() => living?.settle());
      }
    },
  );
}

export function createHost(): HostPlace {
  define();
  let chosen: Element | null = null;
  const element = document.createElement(NAME);
  const put = (): boolean => {
    const into = chosen?.isConnected ? chosen : document.body;
    into?.append(element);
    return element.isConnected;
  };
  const place: HostPlace = {
    element,
    settle() {
      if (element.isConnected) return true;
      const back = put();
      element.dispatchEvent(new Event(RETURNED));
      return back;
    },
    move(into) {
      chosen = into;
      put();
    },
    remove() {
      living = null;
      element.remove();
    },
  };
  living = place;
  put();
  return place;
}
