/** Beyond this the least recent are dropped: then only chat-service clamps their acks, until the next message. */
const SESSIONS_MAX = 20_000;

/** The newest message of each session that operators here were sent. They may acknowledge up to it. */
export class NewestMessages {
  readonly #ids = new Map<number, number>();

  /** 0 where none is known. */
  of(sessionId: number): number {
    return this.#ids.get(sessionId) ?? 0;
  }

  note(sessionId: number, messageId: number): void {
    if (messageId === 0 || messageId <= this.of(sessionId)) return;
    this.#ids.delete(sessionId);
    this.#ids.set(sessionId, messageId);
    if (this.#ids.size <= SESSIONS_MAX) return;
    const oldest = this.#ids.keys().next().value;
    if (oldest !== undefined) this.#ids.delete(oldest);
  }

  clear(): void {
    this.#ids.clear();
  }
}
