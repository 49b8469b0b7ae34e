import { performance } from 'node:perf_hooks';
import { createContext, Script } from 'node:vm';
import WebSocket from 'ws';
import type { SiteVisitor } from './php-site.ts';

type Listener = (event: { readonly detail?: unknown; preventDefault(): void }) => unknown;

/** What of an element the site's scripts use. */
class Element {
  readonly dataset: Record<string, string> = {};
  readonly children: Element[] = [];
  readonly fields: Record<string, string> = {};
  className = '';
  textContent: unknown = '';
  readonly #inner = new Map<string, Element>();
  readonly #listeners = new Map<string, Listener>();
  readonly #added: (child: Element) => void;

  constructor(added: (child: Element) => void = () => undefined) {
    this.#added = added;
  }

  within(selector: string, element: Element): this {
    this.#inner.set(selector, element);
    return this;
  }

  querySelector(selector: string): Element | null {
    return this.#inner.get(selector) ?? null;
  }

  append(child: Element): void {
    this.children.push(child);
    this.#added(child);
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }

  async dispatch(type: string): Promise<void> {
    await this.#listeners.get(type)?.({ preventDefault: () => undefined });
  }

  reset(): void {
    for (const name of Object.keys(this.fields)) this.fields[name] = '';
  }
}

const scripts = new Map<string, Script>();
const attribute = (tag: string, name: string): string | undefined => new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1];

/**
 * A page of the example site without a browser: its HTML and its scripts are the site's own, as they are served now, over a
 * real WebSocket and the person's own cookie. Of the document it has what these scripts use. A hundred of them cost less
 * than one browser.
 */
export class PhpPage {
  /** When each message was shown, by its id. */
  readonly shownAt = new Map<number, number>();
  readonly order: number[] = [];
  readonly errors: string[] = [];
  readonly #form = new Element();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #sockets: WebSocket[] = [];
  readonly #storage: Map<string, string>;
  #isClosed = false;

  private constructor(chat: number | undefined) {
    this.#storage = new Map(chat === undefined ? [] : [['chat_id', String(chat)]]);
  }

  /** Loads a page for somebody; `chat` is what their localStorage remembers. */
  static async open(site: string, visitor: SiteVisitor, path: string, chat?: number): Promise<PhpPage> {
    const answer = await visitor.call('GET', path);
    if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}`);
    const page = new PhpPage(chat);
    await page.#run(site, await answer.text(), visitor);
    return page;
  }

  async #run(site: string, html: string, visitor: SiteVisitor): Promise<void> {
    const box = this.#box(html);
    const tags = [...html.matchAll(/<script ([^>]*)>/g)].map(([, tag = '']) => tag);
    const byId = new Map<string, Element>();
    for (const [, id = ''] of html.matchAll(/id="([^"]+)"/g)) byId.set(id, new Element());
    for (const tag of tags) {
      const element = byId.get(attribute(tag, 'id') ?? '');
      const address = attribute(tag, 'data-address');
      if (element !== undefined && address !== undefined) element.dataset['address'] = address;
    }
    const context = createContext(this.#globals(site, visitor, box, byId));
    for (const tag of tags) (await script(site, attribute(tag, 'src') ?? '')).runInContext(context);
  }

  #box(html: string): Element | null {
    const tag = /<section class="chat" ([^>]*)>/.exec(html)?.[1];
    if (tag === undefined) return null;
    const list = new Element(({ dataset }) => {
      const id = Number(dataset['id']);
      this.order.push(id);
      this.shownAt.set(id, performance.now());
    });
    const box = new Element().within('ol', list).within('form', this.#form);
    const chat = attribute(tag, 'data-chat');
    if (chat !== undefined) box.dataset['chat'] = chat;
    box.dataset['post'] = attribute(tag, 'data-post') ?? '';
    return box;
  }

  #globals(site: string, visitor: SiteVisitor, box: Element | null, byId: ReadonlyMap<string, Element>): object {
    const listeners: [string, Listener][] = [];
    const timers = this.#timers;
    const sockets = this.#sockets;
    const globals = {
      document: {
        querySelector: () => box,
        querySelectorAll: () => [],
        getElementById: (id: string) => byId.get(id) ?? null,
        createElement: () => new Element(),
      },
      localStorage: this.#store(),
      sessionStorage: this.#store(new Map()),
      FormData: class {
        readonly #fields: Record<string, string>;
        constructor(form: Element) {
          this.#fields = form.fields;
        }
        [Symbol.iterator](): Iterator<[string, string]> {
          return Object.entries(this.#fields)[Symbol.iterator]();
        }
      },
      CustomEvent: class {
        readonly type: string;
        readonly detail: unknown;
        constructor(type: string, { detail }: { detail?: unknown } = {}) {
          this.type = type;
          this.detail = detail;
        }
      },
      addEventListener: (type: string, listener: Listener) => listeners.push([type, listener]),
      dispatchEvent: ({ type, detail }: { type: string; detail: unknown }) => {
        for (const [name, listener] of listeners)
          if (name === type) listener({ detail, preventDefault: () => undefined });
      },
      fetch: async (
        path: string,
        options: { method?: string; body?: string; headers?: Record<string, string> } = {},
      ) => {
        const body = options.body === undefined ? undefined : (JSON.parse(options.body) as object);
        const asked = path.startsWith('/') ? visitor.call(options.method ?? 'GET', path, body) : fetch(path, options);
        // Nobody hears the answer of a page that was left.
        const answer = await asked.catch((error: unknown) => {
          if (!this.#isClosed) throw error;
        });
        return this.#isClosed || answer === undefined ? new Promise<never>(() => undefined) : answer;
      },
      WebSocket: class extends WebSocket {
        constructor(address: string) {
          super(address, { origin: site, perMessageDeflate: false });
          // A close follows, and is what the script listens to.
          this.on('error', () => undefined);
          sockets.push(this);
        }
      },
      setTimeout: (run: () => unknown, ms: number) => this.#timer(setTimeout(() => this.#guard(run), ms)),
      setInterval: (run: () => unknown, ms: number) => this.#timer(setInterval(() => this.#guard(run), ms)),
      clearTimeout: (timer: NodeJS.Timeout) => clearTimeout(timer),
      clearInterval: (timer: NodeJS.Timeout) => {
        timers.delete(timer);
        clearInterval(timer);
      },
    };
    return Object.assign(globals, { window: globals });
  }

  /** A page that was left begins nothing anew: its channel would connect again and again. */
  #timer(timer: NodeJS.Timeout): NodeJS.Timeout {
    if (this.#isClosed) clearTimeout(timer);
    else this.#timers.add(timer);
    return timer;
  }

  /** As a browser does it: an error ends in the console, and the page goes on. */
  #guard(run: () => unknown): void {
    Promise.resolve()
      .then(run)
      .catch((error: unknown) => this.errors.push(String(error)));
  }

  #store(values = this.#storage): object {
    return {
      getItem: (name: string) => values.get(name) ?? null,
      setItem: (name: string, value: unknown) => values.set(name, String(value)),
    };
  }

  /** Whether its channel is open. */
  get isOpen(): boolean {
    return this.#sockets.some(({ readyState }) => readyState === WebSocket.OPEN);
  }

  get hasTwice(): boolean {
    return new Set(this.order).size < this.order.length;
  }

  /** Writes into the form of the chat, and sends it. */
  async send(fields: Readonly<Record<string, string>>): Promise<void> {
    Object.assign(this.#form.fields, fields);
    await this.#form.dispatch('submit');
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) {
      clearTimeout(timer);
      clearInterval(timer);
    }
    for (const socket of this.#sockets) socket.terminate();
  }
}

async function script(site: string, path: string): Promise<Script> {
  const answer = await fetch(`${site}${path}`);
  const text = await answer.text();
  const known = scripts.get(text) ?? new Script(text, { filename: path });
  scripts.set(text, known);
  return known;
}
