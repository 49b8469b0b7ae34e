import { ShownMessages, type Shown } from './shown-messages.ts';

/** Where the messages of a pane are, whatever draws them. */
export interface Place {
  /** Null while it is not there, such as before the chat is open. */
  readonly root: () => Document | ShadowRoot | null;
  readonly own: string;
}

/** Reads what a page really shows, as soon as it changes. */
export class Eye {
  readonly ledger = new ShownMessages();
  readonly #place: Place;
  #watched: Document | ShadowRoot | null = null;
  #observer: MutationObserver | null = null;

  constructor(place: Place) {
    this.#place = place;
  }

  /** False: there is nothing to look at. */
  get open(): boolean {
    return this.#watched !== null;
  }

  /** Again and again: the page may have been loaded anew, or shows something else. */
  attach(): void {
    const root = this.#place.root();
    if (root !== this.#watched) {
      this.#observer?.disconnect();
      this.#watched = root;
      if (root === null) return;
      this.#observer = new MutationObserver(() => this.#look());
      this.#observer.observe(root, { childList: true, subtree: true, attributeFilter: ['data-message'] });
    }
    if (root !== null) this.#look();
  }

  /** Loads the messages above the page's beginning, as a person would. */
  loadOlder(wanted: (lowest: number) => boolean): void {
    const first = this.#articles()[0];
    const button = this.#watched?.querySelector<HTMLButtonElement>('button.older');
    if (button && !button.disabled && first !== undefined && wanted(first.id)) button.click();
  }

  #look(): void {
    this.ledger.look(this.#articles(), Date.now());
  }

  #articles(): Shown[] {
    const found = this.#watched?.querySelectorAll<HTMLElement>('article[data-message]') ?? [];
    return Array.from(found, (article) => ({
      id: Number(article.dataset['message']),
      own: article.classList.contains(this.#place.own),
    }));
  }
}
