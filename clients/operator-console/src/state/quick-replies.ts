import {
  ChatClientError,
  type NewQuickReply,
  type QuickRepliesResponse,
  type QuickReply,
  type StaffApi,
} from '@chat-realtime/client/staff';
import { createStore } from '../store.ts';

export type { NewQuickReply, QuickReply };

export interface QuickRepliesState {
  readonly list: readonly QuickReply[];
  readonly status: 'loading' | 'ready' | 'failed';
}

/** As the server orders them. */
const byShortcut = (a: QuickReply, b: QuickReply): number =>
  a.shortcut.toLowerCase().localeCompare(b.shortcut.toLowerCase());

const STALE_MS = 15_000;

/** Texts that operators write often; the server keeps them for all of them. */
export class QuickReplies {
  readonly #api: StaffApi;
  readonly #store = createStore<QuickRepliesState>({ list: [], status: 'loading' });
  #read = -Infinity;

  constructor(api: StaffApi) {
    this.#api = api;
  }

  getState = (): QuickRepliesState => this.#store.getState();
  subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  async load(): Promise<void> {
    try {
      const list: QuickReply[] = [];
      let page: string | undefined;
      do {
        const answer: QuickRepliesResponse = await this.#api.request('GET', '/chat/quick-replies', { query: { page } });
        list.push(...answer.quick_replies);
        page = answer.next_page ?? undefined;
      } while (page !== undefined);
      this.#read = performance.now();
      this.#store.set({ list, status: 'ready' });
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      // The earlier list is better than none; the next use requests it again.
      if (this.getState().status === 'loading') this.#store.set({ status: 'failed' });
    }
  }

  /** A colleague's change has no event: opening the menu, or returning to the page after a while, reloads the list. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#read > STALE_MS) await this.load();
  }

  async add(reply: NewQuickReply): Promise<void> {
    this.#put(await this.#api.request<QuickReply>('POST', '/chat/quick-replies', { body: reply }));
  }

  async change(id: number, change: NewQuickReply): Promise<void> {
    this.#put(await this.#api.request<QuickReply>('PATCH', `/chat/quick-replies/${id}`, { body: change }));
  }

  async remove(id: number): Promise<void> {
    try {
      await this.#api.request('DELETE', `/chat/quick-replies/${id}`);
    } catch (error) {
      // A colleague was faster: what was wanted has come true.
      if (!(error instanceof ChatClientError) || error.code !== 'quick_reply_not_found') throw error;
    }
    this.#store.set(({ list }) => ({ list: list.filter((reply) => reply.id !== id) }));
  }

  #put(reply: QuickReply): void {
    this.#store.set(({ list }) => ({
      list: [...list.filter((one) => one.id !== reply.id), reply].sort(byShortcut),
      status: 'ready',
    }));
  }
}

type Searchable = Pick<QuickReply, 'shortcut' | 'title' | 'text'>;

export function matching<T extends Searchable>(replies: readonly T[], typed: string): readonly T[] {
  const wanted = typed.toLowerCase();
  const starts = replies.filter(({ shortcut }) => shortcut.toLowerCase().startsWith(wanted));
  const contains = replies.filter(
    (reply) =>
      !starts.includes(reply) && `${reply.shortcut} ${reply.title} ${reply.text}`.toLowerCase().includes(wanted),
  );
  return [...starts, ...contains].slice(0, 8);
}

export const VARIABLES = ['name', 'operator', 'site'] as const;

export interface Values {
  readonly name: string | null;
  readonly operator: string;
  readonly site: string;
}

/** An unknown name is removed with the comma or space before it. The inserted value is not scanned again. */
export function filled(text: string, { name, operator, site }: Values): string {
  const known: Readonly<Record<string, string>> = { name: name?.trim() ?? '', operator, site };
  return text.replace(/(,?\s{0,8})\{\{(name|operator|site)\}\}/g, (_match, before: string, variable: string) => {
    const value = known[variable] ?? '';
    return value === '' ? '' : before + value;
  });
}
