import { isBackfilled } from './backfill.ts';
import { type Delivery, eventsOf } from './delivery.ts';
import type { Older } from './beginning.ts';
import type { EventMapper } from './events.ts';
import type { Ledger, MessageRow, OutboxRow, Places, PlainEvent, SiteDatabase } from './ports.ts';

const PAGE = 99;
/** Number of sessions remembered as complete in the ledger up to the triggers. */
const REMEMBERED = 20_000;
/** Named after a chat while it is copied: after a crash half a chat does not count as complete. */
const COPYING = 'copying:';

/** How far a chat is copied; without a bound, to its end. */
interface Extent {
  /** Up to the first of these, exclusive. */
  readonly before?: ReadonlySet<string>;
  /** Up to this row, inclusive. */
  readonly through?: string;
}

/** How many of each were stored. */
export interface Counts {
  sessions: number;
  messages: number;
}

/** What a copy found: rows from before the triggers, and rows that a trigger missed. */
export interface Brought {
  readonly older: Counts;
  readonly missed: Counts;
}

const NONE: Older = { session: () => true, message: () => true };

/**
 * Copies chats from their start, in the order of the table of the site. Backfill, follower and scan may reach the same
 * chat at the same time. Each of them offers a row only after it has seen all earlier ones in the ledger, so the chat
 * is stored in this order whichever is faster, and every row once.
 */
export class SessionHistory {
  readonly #ledger: Ledger;
  readonly #delivery: Delivery;
  readonly #places: Places;
  readonly #known = new Set<string>();
  /** Chats whose copy was started and is not complete, including those of a process that has ended. */
  #begun: Promise<Set<string>> | undefined;
  /** The last copy of each chat that is being copied: the next one starts after it. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #backfilled = false;

  constructor(ledger: Ledger, places: Places, delivery: Delivery) {
    this.#ledger = ledger;
    this.#places = places;
    this.#delivery = delivery;
  }

  /**
   * Before the first live event of a chat that existed before the triggers comes everything older that the site has of
   * it.
   */
  async ensure(rows: readonly OutboxRow[], site: SiteDatabase, mapper: EventMapper): Promise<void> {
    const asked = [...new Set(rows.map(({ sessionId }) => sessionId))].filter((id) => !this.#known.has(id));
    if (asked.length === 0) return;
    this.#backfilled ||= await isBackfilled(this.#places);
    // Before it is complete, a backfill may have stored a chat and not yet all of its messages.
    const known = this.#backfilled ? await this.#ledger.sessions(asked) : new Map();
    for (const id of asked) {
      const own = rows.filter(({ sessionId }) => sessionId === id);
      // A chat whose start was recorded has nothing older.
      const isNew = own.some(({ kind }) => kind === 'session');
      const before = new Set(own.flatMap(({ kind, rowId }) => (kind === 'message' ? [rowId] : [])));
      if (!isNew)
        await this.#inTurn(id, async () => {
          // The recorded rows, and all after them, come through the outbox, in their place.
          if (!known.has(id) || (await this.#marks()).has(id)) await this.#copy(id, { before }, site, mapper);
        });
      this.#remember(id);
    }
  }

  /** Stores what the ledger lacks of a chat, in order, up to a row; all of it for a chat that was never complete. */
  async bring(
    id: string,
    through: string | undefined,
    site: SiteDatabase,
    mapper: EventMapper,
    older: Older,
  ): Promise<Brought> {
    return this.#inTurn(id, async () => {
      const isKnown = (await this.#ledger.sessions([id])).has(id);
      const isWhole = isKnown && !(await this.#marks()).has(id);
      const brought = await this.#copy(id, isWhole && through !== undefined ? { through } : {}, site, mapper, older);
      if (!isKnown) return brought;
      const { older: before, missed } = brought;
      return { older: { ...before, sessions: 0 }, missed: { ...missed, sessions: 0 } };
    });
  }

  async #copy(
    id: string,
    extent: Extent,
    site: SiteDatabase,
    mapper: EventMapper,
    older: Older = NONE,
  ): Promise<Brought> {
    const marks = await this.#marks();
    const brought: Brought = { older: { sessions: 0, messages: 0 }, missed: { sessions: 0, messages: 0 } };
    const of = (isOlder: boolean): Counts => (isOlder ? brought.older : brought.missed);
    let after: string | null = null;
    for (;;) {
      const rows = within(await site.messagesOfSession(id, after, PAGE), extent);
      const last = rows.at(-1)?.id ?? null;
      const isEnd = rows.length < PAGE || last === extent.through;
      const created = after === null ? await eventsOf(site, mapper, await site.sessions([id]), []) : [];
      const unknown = await this.#ledger.unknown(await eventsOf(site, mapper, [], rows));
      if (!marks.has(id) && (unknown.length > 0 || !isEnd)) {
        marks.add(id);
        await this.#places.write(`${COPYING}${id}`, 'begun');
      }
      of(older.session(id)).sessions += (await this.#delivery.take(created, 'table')).accepted;
      // The table's order: older rows come first.
      const isNewer = (event: PlainEvent): boolean => !older.message(String(event.data['id']));
      const border = unknown.findIndex(isNewer);
      const parts = border < 0 ? [unknown, []] : [unknown.slice(0, border), unknown.slice(border)];
      for (const [index, part] of parts.entries())
        if (part.length > 0) of(index === 0).messages += (await this.#delivery.take(part, 'table')).accepted;
      if (isEnd) break;
      after = last;
    }
    if (marks.delete(id)) await this.#places.clear(`${COPYING}${id}`);
    return brought;
  }

  #marks(): Promise<Set<string>> {
    const read = async () => new Set((await this.#places.names(COPYING)).map((name) => name.slice(COPYING.length)));
    this.#begun ??= read().catch((error: unknown) => {
      this.#begun = undefined;
      throw error;
    });
    return this.#begun;
  }

  async #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#turns.set(id, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(id) === turn) this.#turns.delete(id);
    }
  }

  #remember(id: string): void {
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.add(id);
  }
}

function within(page: readonly MessageRow[], { before, through }: Extent): readonly MessageRow[] {
  const end = page.findIndex(({ id }) => before?.has(id) === true);
  if (end >= 0) return page.slice(0, end);
  const last = through === undefined ? -1 : page.findIndex(({ id }) => id === through);
  return last >= 0 ? page.slice(0, last + 1) : page;
}
