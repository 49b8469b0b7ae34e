import type { TelegramApi } from './api.ts';

/** A poll waits 25 s. After three without success Telegram counts as unavailable. */
const FRESH_MS = 90_000;

/** Whether Telegram responds to this bot. If not, the bot reaches nobody, even though it is running. */
export class Availability {
  readonly #now: () => number;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  responded(): void {
    this.#heardAt = this.#now();
  }

  get isFresh(): boolean {
    return this.#now() - this.#heardAt < FRESH_MS;
  }
}

/**
 * Only polls and `getMe` count. Texts can still be sent while another process gets the updates, but people's answers to
 * them would not arrive here.
 */
export function watched(api: TelegramApi, availability: Availability): TelegramApi {
  return {
    ...api,
    me: async () => {
      const me = await api.me();
      availability.responded();
      return me;
    },
    updates: async (offset, signal) => {
      const list = await api.updates(offset, signal);
      availability.responded();
      return list;
    },
  };
}
