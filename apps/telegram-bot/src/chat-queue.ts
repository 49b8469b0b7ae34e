import type { Logger } from '@chat-realtime/service-kit';

const IDLE_MS = 1_000;
const SOON_MS = 200;
const BROKEN_MS = 2_000;
/** Chats processed at once: each may hold a file of 10 MB, and Telegram accepts 30 calls a second. */
const AT_ONCE = 16;

export interface QueueParts<T extends { readonly chatId: number }> {
  /** What is due, at most one per chat and none of a busy one; `soon`: something becomes due in a moment. */
  readonly due: (busy: readonly number[]) => Promise<{ readonly items: readonly T[]; readonly soon: boolean }>;
  readonly work: (item: T) => Promise<void>;
  readonly logger: Logger;
}

/** Works through a durable queue: each chat in its order, several chats at once, and never more than so many. */
export class ChatQueue<T extends { readonly chatId: number }> {
  readonly #parts: QueueParts<T>;
  readonly #busy = new Map<number, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | null = null;
  #again = false;
  #stopped = true;

  constructor(parts: QueueParts<T>) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** Something was added. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#looking !== null) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#looking = this.#look().finally(() => {
      this.#looking = null;
      if (!this.#again) return;
      this.#again = false;
      this.wake();
    });
  }

  /** Work in progress is completed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await Promise.all(this.#busy.values());
  }

  async #look(): Promise<void> {
    let waitMs = IDLE_MS;
    try {
      // A worker that ends checks again.
      if (this.#busy.size >= AT_ONCE) return;
      const { items, soon } = await this.#parts.due([...this.#busy.keys()]);
      for (const item of items.slice(0, AT_ONCE - this.#busy.size)) this.#begin(item);
      if (soon) waitMs = SOON_MS;
    } catch (error) {
      this.#parts.logger.warn({ err: error }, 'the queue of the bot cannot be read; it will be retried');
      waitMs = BROKEN_MS;
    }
    if (!this.#stopped) this.#timer = setTimeout(() => this.wake(), waitMs);
  }

  #begin(item: T): void {
    const { work, logger } = this.#parts;
    const done = work(item)
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'a step of the bot failed; it will be retried');
        return new Promise<void>((resolve) => setTimeout(resolve, this.#stopped ? 0 : BROKEN_MS));
      })
      .finally(() => {
        this.#busy.delete(item.chatId);
        this.wake();
      });
    this.#busy.set(item.chatId, done);
  }
}
