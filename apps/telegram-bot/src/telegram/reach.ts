import type { TelegramApi } from './api.ts';

/** A poll waits 25 s: three of them in vain, and Telegram counts as away. */
const FRESH_MS = 90_000;

/** Whether Telegram answers this bot: one that it does not answer tells nobody anything, however well it runs. */
export class Reach {
  readonly #now: () => number;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  heard(): void {
    this.#heardAt = this.#now();
  }

  get isFresh(): boolean {
    return this.#now() - this.#heardAt < FRESH_MS;
  }
}

/**
 * Only polls and `getMe` count. Texts still go out where another process takes the updates, and what people answer to
 * them would be heard by nobody here.
 */
export function watched(api: TelegramApi, reach: Reach): TelegramApi {
  return {
    ...api,
    me: async () => {
      const me = await api.me();
      reach.heard();
      return me;
    },
    updates: async (offset, signal) => {
      const list = await api.updates(offset, signal);
      reach.heard();
      return list;
    },
  };
}
