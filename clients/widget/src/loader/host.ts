/** Fires on the element when it was put back after the page took it out. */
export const RETURNED = 'returned';

const NAME = 'chat-widget';

export interface HostPlace {
  readonly element: HTMLElement;
  /** Puts the element back if it is out; false: the page has no body to put it into. */
  settle(): boolean;
  /** Moves it into an element, such as a native dialog; null: to the end of the body again. */
  move(into: Element | null): void;
  remove(): void;
}

interface HostClass extends CustomElementConstructor {
  /** The one element that lives. All others of its name are copies a page made of itself, and dead. */
  living?: HostPlace | null;
}

/**
 * A page that replaces its body (Turbo, htmx, Livewire) neither loses the element nor keeps copies of it. A loader that
 * runs again finds the class of the first, which a page can define only once; so the living element is stored there.
 */
function hostClass(): HostClass {
  const known: HostClass | undefined = customElements.get(NAME);
  if (known) return known;
  const Host: HostClass = class extends HTMLElement {
    connectedCallback(): void {
      if (this !== Host.living?.element) this.remove();
    }
    disconnectedCallback(): void {
      // Once a frame at most, so that a page which takes it out again and again is not held up.
      if (this === Host.living?.element) requestAnimationFrame(() => Host.living?.settle());
    }
  };
  customElements.define(NAME, Host);
  return Host;
}

export function createHost(): HostPlace {
  const Host = hostClass();
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
      Host.living = null;
      element.remove();
    },
  };
  Host.living = place;
  put();
  return place;
}
