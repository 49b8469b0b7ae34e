import { ChatError } from '@chat-realtime/protocol';
import { KEPT_TYPES, OCTET_STREAM } from './sniff.ts';

const ENTRY = /^(?:[a-z0-9][a-z0-9.+-]*)\/(?:\*|[a-z0-9][a-z0-9.+-]*)$/;

const familyOf = (type: string): string => `${type.split('/')[0] ?? ''}/*`;
const covers = (entries: readonly string[], type: string): boolean =>
  entries.includes(type) || entries.includes(familyOf(type));

/** The file types that the owner accepts: `ATTACHMENT_TYPES`, and what was saved within it. */
export class AcceptedTypes {
  /** Null: everything. */
  readonly #entries: readonly string[] | null;

  private constructor(entries: readonly string[] | null) {
    this.#entries = entries;
  }

  /** Without an entry everything is taken. @throws Error naming the entry that is no type such as `application/pdf`. */
  static parse(entries: readonly string[]): AcceptedTypes {
    const clean = entries.map((entry) => entry.trim().toLowerCase());
    const wrong = clean.find((entry) => entry !== '*/*' && !ENTRY.test(entry));
    if (wrong !== undefined) throw new Error(`"${wrong}" is not a MIME type such as application/pdf or image/*`);
    const everything = clean.length === 0 || clean.includes('*/*') || clean.includes(OCTET_STREAM);
    return new AcceptedTypes(everything ? null : clean);
  }

  /** The types that both accept. */
  within(limit: AcceptedTypes): AcceptedTypes {
    const [own, outer] = [this.#entries, limit.#entries];
    if (own === null) return limit;
    if (outer === null) return this;
    const both = [...own.filter((type) => covers(outer, type)), ...outer.filter((type) => covers(own, type))];
    return new AcceptedTypes([...new Set(both)]);
  }

  /** As they were given; none: everything. */
  get entries(): readonly string[] {
    return this.#entries ?? [];
  }

  /** Two lists may have nothing in common. */
  get isNothing(): boolean {
    return this.#entries?.length === 0;
  }

  /** For the clients: the types for a file dialog. With {@link OCTET_STREAM} in it everything is accepted. */
  get listed(): readonly string[] {
    return this.#entries ?? [...KEPT_TYPES, OCTET_STREAM];
  }

  /** Whether every file of `type` is accepted. */
  has(type: string): boolean {
    return this.#entries === null || covers(this.#entries, type);
  }

  /** @throws ChatError 415 that names what is allowed. */
  check(detected: string): void {
    if (this.#entries === null || covers(this.#entries, detected)) return;
    throw new ChatError('unsupported_media_type', `this chat takes only ${this.#entries.join(', ')}`, {
      details: { allowed: this.#entries },
    });
  }
}
