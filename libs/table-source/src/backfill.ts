import { setTimeout as sleep } from 'node:timers/promises';
import { type Delivery, eventsOf, type Tally } from './delivery.ts';
import type { EventMapper } from './events.ts';
import type { Places, SiteDatabase } from './ports.ts';

const PAGE = 200;
/** How often a ledger that does not respond is asked again: for about a minute. */
const ATTEMPTS = 9;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 15_000;

export interface BackfillProgress extends Tally {
  readonly phase: 'sessions' | 'messages';
  /** Rows looked at in this run. */
  readonly rows: number;
  /** The last primary key that is copied. */
  readonly place: string | null;
}

export interface BackfillDeps {
  readonly site: SiteDatabase;
  readonly mapper: EventMapper;
  readonly delivery: Delivery;
  readonly places: Places;
  readonly onProgress?: (progress: BackfillProgress) => void;
  readonly stopped?: () => boolean;
}

export interface BackfillResult extends Tally {
  readonly sessions: number;
  readonly messages: number;
  /** False: it was stopped, and goes on where it was when it is called again. */
  readonly complete: boolean;
}

const COMPLETE = 'backfill:complete';

export async function isBackfilled(places: Places): Promise<boolean> {
  return (await places.read(COMPLETE)) === 'yes';
}

/**
 * Copies what the tables hold, by primary key: sessions first, with the state they have now, then messages. Each page is
 * stored before its place is noted, so that it may be ended at any time and called again; what is stored already is known.
 */
export async function backfill(deps: BackfillDeps): Promise<BackfillResult> {
  const { site } = deps;
  const sessions = await copy(deps, 'sessions', async (after) => {
    const rows = await site.sessionsAfter(after, PAGE);
    return { last: rows.at(-1)?.id, count: rows.length, events: await eventsOf(site, deps.mapper, rows, []) };
  });
  const messages = await copy(deps, 'messages', async (after) => {
    const rows = await site.messagesAfter(after, PAGE);
    return { last: rows.at(-1)?.id, count: rows.length, events: await eventsOf(site, deps.mapper, [], rows) };
  });
  const complete = sessions.complete && messages.complete;
  if (complete) await deps.places.write(COMPLETE, 'yes');
  const sum = (name: keyof Tally) => sessions.tally[name] + messages.tally[name];
  return {
    sessions: sessions.rows,
    messages: messages.rows,
    accepted: sum('accepted'),
    duplicate: sum('duplicate'),
    refused: sum('refused'),
    complete,
  };
}

interface Page {
  readonly last: string | undefined;
  readonly count: number;
  readonly events: Awaited<ReturnType<typeof eventsOf>>;
}

async function copy(
  deps: BackfillDeps,
  phase: BackfillProgress['phase'],
  read: (after: string | null) => Promise<Page>,
) {
  const { places, delivery } = deps;
  const name = `backfill:${phase}`;
  const tally: Tally = { accepted: 0, duplicate: 0, refused: 0 };
  let place = await places.read(name);
  let rows = 0;
  for (;;) {
    if (deps.stopped?.() === true) return { rows, tally, complete: false };
    const page = await read(place);
    if (page.last === undefined) return { rows, tally, complete: true };
    const taken = await takeUntilTaken(delivery, page.events);
    place = page.last;
    await places.write(name, place);
    rows += page.count;
    tally.accepted += taken.accepted;
    tally.duplicate += taken.duplicate;
    tally.refused += taken.refused;
    deps.onProgress?.({ phase, rows, place, ...tally });
  }
}

/** What was stored before it failed is known the next time. */
async function takeUntilTaken(delivery: Delivery, events: Page['events']): Promise<Tally> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await delivery.take(events, 'backfill');
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error;
      await sleep(Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (attempt - 1)));
    }
  }
}
