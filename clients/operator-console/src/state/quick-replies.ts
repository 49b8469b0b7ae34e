export interface QuickReply {
  readonly shortcut: string;
  readonly text: string;
}

const KEY = 'chat-console:quick-replies';

const isReply = (value: unknown): value is QuickReply =>
  typeof value === 'object' &&
  value !== null &&
  'shortcut' in value &&
  typeof value.shortcut === 'string' &&
  'text' in value &&
  typeof value.text === 'string';

/** Texts an operator writes often, of this browser; with the names of customer and operator filled in. */
export class QuickReplies {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'>;
  #cache: readonly QuickReply[] | null = null;

  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this.#storage = storage;
  }

  list(defaults: readonly QuickReply[]): readonly QuickReply[] {
    this.#cache ??= this.#read() ?? null;
    return this.#cache ?? defaults;
  }

  save(replies: readonly QuickReply[]): void {
    this.#cache = replies.filter(({ shortcut, text }) => shortcut.trim() !== '' && text.trim() !== '');
    this.#storage.setItem(KEY, JSON.stringify(this.#cache));
  }

  #read(): readonly QuickReply[] | undefined {
    const text = this.#storage.getItem(KEY);
    if (text === null) return undefined;
    try {
      const value: unknown = JSON.parse(text);
      return Array.isArray(value) ? value.filter(isReply) : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

export function matching(replies: readonly QuickReply[], typed: string): readonly QuickReply[] {
  const wanted = typed.toLowerCase();
  const starts = replies.filter(({ shortcut }) => shortcut.toLowerCase().startsWith(wanted));
  const contains = replies.filter(
    (reply) => !starts.includes(reply) && `${reply.shortcut} ${reply.text}`.toLowerCase().includes(wanted),
  );
  return [...starts, ...contains].slice(0, 8);
}

/** `{name}` and `{operator}`; a name that is not known takes the space or comma before it along. */
export function filled(text: string, values: { readonly name: string | null; readonly operator: string }): string {
  const name = values.name?.trim() ?? '';
  return text.replace(name === '' ? /,?\s*\{name\}/g : /\{name\}/g, name).replace(/\{operator\}/g, values.operator);
}
