import { isBackfilled } from './backfill.ts';
import type { Places } from './ports.ts';

const NUMBER = /^-?\d{1,38}$/;
const MARKS = { sessions: 'begun:sessions', messages: 'begun:messages' } as const;
const ROUND = 'begun:round';

/** The site's data needed to find the end of its tables. */
export interface NewestRows {
  newestSessions(limit: number): Promise<readonly { readonly id: string }[]>;
  newestMessages(limit: number): Promise<readonly { readonly id: string }[]>;
}

/** Tells rows that were there before the triggers from those that a trigger missed. */
export interface Older {
  session(id: string): boolean;
  message(id: string): boolean;
}

/**
 * The end of the tables when they were first followed. Until a backfill is complete the scan also meets and imports
 * older rows: nothing is wrong with the triggers then.
 */
export class Beginning {
  readonly #places: Places;
  readonly #messagesAscend: boolean;

  constructor(places: Places, messagesAscend: boolean) {
    this.#places = places;
    this.#messagesAscend = messagesAscend;
  }

  /**
   * Once for all: the mark is kept across restarts. Follower and scan both come here, each over its own connection, and
   * for a moment two processes while one takes over. A later look does not move the mark, since it would skip rows
   * written while the first of them already follows.
   */
  async note(site: NewestRows): Promise<void> {
    if ((await this.#places.read(MARKS.messages)) !== null) return;
    const [session] = await site.newestSessions(1);
    const [message] = await site.newestMessages(1);
    await this.#places.writeFirst(MARKS.sessions, session?.id ?? '');
    await this.#places.writeFirst(MARKS.messages, message?.id ?? '');
  }

  async noteRound(): Promise<void> {
    await this.#places.writeFirst(ROUND, 'done');
  }

  async older(): Promise<Older> {
    if (await isBackfilled(this.#places)) return { session: () => false, message: () => false };
    const sessions = (await this.#places.read(MARKS.sessions)) ?? '';
    const messages = (await this.#places.read(MARKS.messages)) ?? '';
    const isFirstRound = (await this.#places.read(ROUND)) === null;
    // Ids without an order, such as UUIDs of chats, say nothing of their age: what the first round finds was there before.
    const isOlder = (id: string, mark: string, ascends: boolean): boolean => {
      if (mark === '') return false;
      if (NUMBER.test(id) && NUMBER.test(mark)) return BigInt(id) <= BigInt(mark);
      return ascends ? id <= mark : isFirstRound;
    };
    return {
      session: (id) => isOlder(id, sessions, false),
      message: (id) => isOlder(id, messages, this.#messagesAscend),
    };
  }
}
