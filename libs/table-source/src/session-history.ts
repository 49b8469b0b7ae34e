import { isBackfilled } from './backfill.ts';
import { type Delivery, eventsOf } from './delivery.ts';
import type { EventMapper } from './events.ts';
import type { Ledger, OutboxRow, Places, SiteDatabase } from './ports.ts';

/** With the session itself one call of the intake: most chats are stored whole or not at all. */
const PAGE = 99;
/** Sessions of which it is remembered that the ledger has all from before. */
const REMEMBERED = 20_000;

/**
 * Before the first live event of a chat that was there before the triggers stands all that the site has of it from before: its
 * channel then begins as the chat did. A chat that the backfill copies at the same time is copied twice in the same order, and
 * stored once.
 */
export class SessionHistory {
  readonly #ledger: Ledger;
  readonly #delivery: Delivery;
  readonly #places: Places;
  readonly #known = new Set<string>();
  #backfilled = false;

  constructor(ledger: Ledger, places: Places, delivery: Delivery) {
    this.#ledger = ledger;
    this.#places = places;
    this.#delivery = delivery;
  }

  async ensure(rows: readonly OutboxRow[], site: SiteDatabase, mapper: EventMapper): Promise<void> {
    const asked = [...new Set(rows.map(({ sessionId }) => sessionId))].filter((id) => !this.#known.has(id));
    if (asked.length === 0) return;
    this.#backfilled ||= await isBackfilled(this.#places);
    // Before its end a backfill may have brought a chat, and not yet all of its messages.
    const known = this.#backfilled ? await this.#ledger.sessions(asked) : new Map();
    for (const id of asked) {
      const own = rows.filter(({ sessionId }) => sessionId === id);
      // A chat whose beginning was noted has nothing from before.
      const isNew = own.some(({ kind }) => kind === 'session');
      const noted = new Set(own.flatMap(({ kind, rowId }) => (kind === 'message' ? [rowId] : [])));
      if (!isNew && !known.has(id)) await this.#copy(id, noted, site, mapper);
      this.#remember(id);
    }
  }

  /** Up to the first message that was noted: that one and all after it come by the outbox, in their place. */
  async #copy(id: string, noted: ReadonlySet<string>, site: SiteDatabase, mapper: EventMapper): Promise<void> {
    const sessions = await site.sessions([id]);
    let after: string | null = null;
    for (;;) {
      const page = await site.messagesOfSession(id, after, PAGE);
      const live = page.findIndex((row) => noted.has(row.id));
      const messages = live < 0 ? page : page.slice(0, live);
      await this.#delivery.take(await eventsOf(site, mapper, after === null ? sessions : [], messages), 'table');
      const last = messages.at(-1);
      if (last === undefined || messages.length < PAGE) return;
      after = last.id;
    }
  }

  #remember(id: string): void {
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.add(id);
  }
}
