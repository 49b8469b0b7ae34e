import { ChatError } from '@chat-realtime/protocol';
import { KEPT_TYPES, OCTET_STREAM } from './sniff.ts';

const ENTRY = /^(?:[a-z0-9][a-z0-9.+-]*)\/(?:\*|[a-z0-9][a-z0-9.+-]*)$/;

/** `ATTACHMENT_TYPES`: which files the owner wants. Without an entry everything is taken. */
export class AcceptedTypes {
  readonly #entries: readonly string[];

  private constructor(entries: readonly string[]) {
    this.#entries = entries;
  }

  /** @throws Error naming the entry that is no type such as `application/pdf` or `image/*`. */
  static parse(entries: readonly string[]): AcceptedTypes {
    const clean = entries.map((entry) => entry.trim().toLowerCase());
    const wrong = clean.find((entry) => entry !== '*/*' && !ENTRY.test(entry));
    if (wrong !== undefined) throw new Error(`"${wrong}" is no type such as application/pdf or image/*`);
    return new AcceptedTypes(clean.includes('*/*') || clean.includes(OCTET_STREAM) ? [] : clean);
  }

  /** For the clients: what a file dialog may offer. With {@link OCTET_STREAM} in it everything is taken. */
  get listed(): readonly string[] {
    return this.#entries.length === 0 ? [...KEPT_TYPES, OCTET_STREAM] : this.#entries;
  }

  /** @throws ChatError 415 that names what is allowed. */
  check(detected: string): void {
    if (this.#entries.length === 0) return;
    const family = `${detected.split('/')[0] ?? ''}/*`;
    if (this.#entries.includes(detected) || this.#entries.includes(family)) return;
    throw new ChatError('unsupported_media_type', `this chat takes only ${this.#entries.join(', ')}`, {
      details: { allowed: this.#entries },
    });
  }
}
