import { notifyAll } from '@chat-realtime/client/staff';
import type { KeyValue } from '../device-storage.ts';

/** Unsent text per session and kind; kept across reload, per operator. */
export type DraftKind = 'reply' | 'note';

export class Drafts {
  readonly #storage: KeyValue;
  readonly #listeners = new Set<() => void>();
  readonly #known = new Map<string, string>();
  #owner = '';

  constructor(storage: KeyValue) {
    this.#storage = storage;
  }

  /** Another operator on the same device never sees them. */
  setOwner(userId: string): void {
    this.#owner = userId;
    this.#known.clear();
  }

  #key(sessionId: number, kind: DraftKind): string {
    return `chat-console:draft:${this.#owner}:${sessionId}:${kind}`;
  }

  get(sessionId: number, kind: DraftKind): string {
    const key = this.#key(sessionId, kind);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const text = this.#storage.getItem(key) ?? '';
    this.#known.set(key, text);
    return text;
  }

  set(sessionId: number, kind: DraftKind, text: string): void {
    const key = this.#key(sessionId, kind);
    if (this.#known.get(key) === text) return;
    this.#known.set(key, text);
    if (text === '') this.#storage.removeItem(key);
    else this.#storage.setItem(key, text);
    notifyAll(this.#listeners);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
