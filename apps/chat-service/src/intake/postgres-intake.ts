import { ChatError, INTAKE_MAX_EVENTS, type SiteId } from '@chat-realtime/protocol';
import { publishMark } from '../messages/marks.ts';
import type { StorageContext } from '../storage/context.ts';
import { translate } from '../storage/errors.ts';
import { known, type Nameless, placeOf, TAILS, type Told } from './nameless.ts';
import type { EventIntake, Given, IncomingEvent, IntakeResult, IntakeSource, RefusedEvent } from './intake.ts';
import { type ParsedEvent, parseEvent } from './parse-event.ts';

const TAKE = { name: 'chat-take-events', text: 'SELECT * FROM chat_take_events($1::jsonb)' } as const;
const NUMBERS = {
  name: 'chat-site-sessions',
  text: 'SELECT w.site_id, chat_site_session(w.site_id) AS session_id FROM unnest($1::text[]) AS w(site_id)',
} as const;

/**
 * Of the known messages, those that were stored with different text. For an erased one its hash is compared. It is a
 * plain join: a plan made while the tables were small reads them once at worst, and not once for each message.
 */
const CHANGED = {
  name: 'chat-intake-changed',
  text: `SELECT DISTINCT w.place
    FROM jsonb_to_recordset($1::jsonb) AS w(place integer, keys uuid[], body text, attachments jsonb)
    CROSS JOIN LATERAL unnest(w.keys) AS given(key)
    JOIN intake_key k ON k.key = given.key JOIN chat_event e ON e.id = k.event_id AND e.type = 'chat.message'
    WHERE CASE WHEN e.erased_at IS NULL THEN e.body IS DISTINCT FROM w.body
      ELSE e.content_hash IS DISTINCT FROM
        chat_content_hash(e.session_id, e.client_message_id, w.body, chat_attachment_ids(w.attachments)) END`,
} as const;

/** Named in one log line. */
const NAMED = 5;

interface TakenRow {
  readonly r_place: number;
  readonly r_outcome: 'stored' | 'duplicate';
  readonly r_session_id: number;
  readonly r_seq: number | null;
  readonly r_message_id: number | null;
  readonly r_mark_moved: boolean;
}

/** An event given with this call, by its index, or one that the ledger already has. */
interface TailRow {
  readonly index: number | null;
  readonly session_id: number;
  readonly type: string;
  readonly says: string;
  readonly at_ms: number | null;
}

const NONE: ReadonlySet<number> = new Set();

/** An event with its index in the call. */
interface Placed {
  readonly index: number;
  readonly event: ParsedEvent;
}

export interface IntakeObserver {
  taken(source: IntakeSource, result: 'accepted' | 'duplicate' | 'refused', count: number): void;
  /** Messages that came again under their id with another text. */
  changed(source: IntakeSource, count: number): void;
  /** Events without `message_id` and without an id in their data. */
  nameless(source: IntakeSource, count: number): void;
}

/** What the intake needs of the service around it. */
export type IntakeContext = Pick<StorageContext, 'database' | 'committed' | 'ephemeral' | 'log'>;

export interface IntakeDeps {
  readonly context: IntakeContext;
  readonly observer: IntakeObserver;
}

/** The classes of errors by which a database refuses the data themselves: repeating the call changes nothing. */
const DATA_FAULTS = new Set(['22', '23', '54']);

function isDataFault(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    DATA_FAULTS.has(error.code.slice(0, 2))
  );
}

class Tally {
  accepted = 0;
  duplicate = 0;
  readonly refused: RefusedEvent[] = [];
  readonly sessions = new Map<string, number>();
  readonly messages = new Map<string, number>();

  result(): IntakeResult {
    const { accepted, duplicate, refused, sessions, messages } = this;
    return { accepted, duplicate, refused, ids: { sessions, messages } };
  }
}

/** The ledger in PostgreSQL. Each call is one statement, and so one transaction. */
export class PostgresIntake implements EventIntake {
  readonly #context: IntakeContext;
  readonly #observer: IntakeObserver;
  /** The counter continues; a log line for each would fill the log. */
  #namelessTold = false;

  constructor({ context, observer }: IntakeDeps) {
    this.#context = context;
    this.#observer = observer;
  }

  async take(
    events: readonly IncomingEvent[],
    source: IntakeSource,
    { again = NONE }: Given = {},
  ): Promise<IntakeResult> {
    requireBounded(events);
    const tally = new Tally();
    const good = sort(events, tally);
    const fresh = await this.#withoutKnown(good, tally, source, again).catch((error: unknown) => {
      throw translate(error);
    });
    await this.#store(fresh, tally, source);
    this.#count(source, tally);
    return tally.result();
  }

  async takeAll(events: readonly IncomingEvent[], source: IntakeSource): Promise<IntakeResult> {
    requireBounded(events);
    const tally = new Tally();
    const good = sort(events, tally);
    if (tally.refused.length > 0) {
      this.#observer.taken(source, 'refused', new Set(tally.refused.map(({ index }) => index)).size);
      throw invalid(tally.refused);
    }
    const storing = this.#withoutKnown(good, tally, source, NONE).then((fresh) =>
      this.#storeTogether(fresh, tally, source),
    );
    await storing.catch((error: unknown) => {
      throw isDataFault(error) ? invalid([refusedByDatabase(0, error)]) : translate(error);
    });
    this.#count(source, tally);
    return tally.result();
  }

  async sessionNumbers(siteIds: readonly SiteId[]): Promise<Map<string, number>> {
    const numbers = new Map<string, number>();
    const texts = new Set<string>();
    for (const id of siteIds) {
      if (typeof id === 'number') numbers.set(String(id), id);
      else texts.add(id);
    }
    if (texts.size === 0) return numbers;
    const rows = await this.#context.database.query<{ site_id: string; session_id: number }>(NUMBERS, [
      [...texts].toSorted(),
    ]);
    for (const row of rows) numbers.set(row.site_id, row.session_id);
    return numbers;
  }

  /**
   * An event that only its position distinguishes from an earlier one, and that is redelivered, is a duplicate and is
   * not stored.
   */
  async #withoutKnown(
    events: readonly Placed[],
    tally: Tally,
    source: IntakeSource,
    again: ReadonlySet<number>,
  ): Promise<readonly Placed[]> {
    const nameless = events.filter(({ event }) => event.isNameless);
    if (nameless.length === 0) return events;
    this.#reportNameless(source, nameless.length);
    const asked = nameless.filter(({ index, event }) => event.at !== null || again.has(index));
    if (asked.length === 0) return events;
    const numbers = await this.sessionNumbers(asked.map(({ event }) => event.sessionId));
    const rows = await this.#context.database.query<TailRow>(TAILS, [
      JSON.stringify(
        asked.map(({ index, event: { sessionId, row } }) => {
          const { type, data } = row;
          return { index, session_id: numbers.get(String(sessionId)), type, data };
        }),
      ),
    ]);
    const times = new Map(asked.map(({ index, event: { at } }) => [index, at]));
    const given: Nameless[] = [];
    const tails = new Map<string, Told[]>();
    for (const { index, session_id, type, says, at_ms } of rows) {
      const place = placeOf(session_id, type);
      if (index !== null)
        given.push({ index, sessionId: session_id, type, says, at: times.get(index) ?? null, again: again.has(index) });
      else if (at_ms !== null) tails.set(place, [...(tails.get(place) ?? []), { says, atMs: at_ms }]);
    }
    given.sort((one, other) => one.index - other.index);
    const found = known(given, tails);
    tally.duplicate += found.size;
    return events.filter(({ index }) => !found.has(index));
  }

  #reportNameless(source: IntakeSource, count: number): void {
    this.#observer.nameless(source, count);
    if (this.#namelessTold) return;
    this.#namelessTold = true;
    this.#context.log.warn(
      { source, count },
      'events come without message_id and without an id in their data: give each a message_id, so that a redelivery is recognised',
    );
  }

  /** An event that the database itself refuses is found and refused alone, so that it does not block the others. */
  async #store(events: readonly Placed[], tally: Tally, source: IntakeSource): Promise<void> {
    try {
      await this.#storeTogether(events, tally, source);
    } catch (error) {
      if (!isDataFault(error)) throw translate(error);
      const [first, ...rest] = events;
      if (first === undefined) return;
      if (rest.length === 0) {
        this.#context.log.error({ source, error: refusedByDatabase(0, error).message }, 'an event cannot be stored');
        tally.refused.push(refusedByDatabase(first.index, error));
        return;
      }
      const middle = Math.ceil(events.length / 2);
      await this.#store(events.slice(0, middle), tally, source);
      await this.#store(events.slice(middle), tally, source);
    }
  }

  async #storeTogether(events: readonly Placed[], tally: Tally, source: IntakeSource): Promise<void> {
    if (events.length === 0) return;
    const numbers = await this.sessionNumbers(events.map(({ event }) => event.sessionId));
    const rows = events.map(({ event }) => ({ session_id: numbers.get(String(event.sessionId)), ...event.row }));
    const taken = await this.#context.database.query<TakenRow>(TAKE, [JSON.stringify(rows)]);
    this.#note(events, taken, tally);
    await this.#compare(events, taken, source);
  }

  /** The first text stays. A site that uses an id twice should learn of it, but no log may contain the text. */
  async #compare(events: readonly Placed[], taken: readonly TakenRow[], source: IntakeSource): Promise<void> {
    const known = taken.flatMap(({ r_outcome, r_place }) => {
      const row = events[r_place]?.event.row;
      return r_outcome === 'duplicate' && row?.['type'] === 'chat.message' ? [{ place: r_place, ...row }] : [];
    });
    if (known.length === 0) return;
    const rows = await this.#context.database.query<{ place: number }>(CHANGED, [JSON.stringify(known)]);
    if (rows.length === 0) return;
    const places = new Set(rows.map(({ place }) => place));
    const named = taken
      .filter(({ r_place }) => places.has(r_place))
      .slice(0, NAMED)
      .map(({ r_session_id, r_message_id }) => ({ session_id: r_session_id, message_id: r_message_id }));
    this.#observer.changed(source, rows.length);
    this.#context.log.warn(
      { source, count: rows.length, messages: named },
      'messages came again under their ids with other texts; what came first is kept',
    );
  }

  #note(events: readonly Placed[], taken: readonly TakenRow[], tally: Tally): void {
    let stored = 0;
    for (const row of taken) {
      const { event } = events[row.r_place] ?? {};
      if (event === undefined) throw new Error('the database answered for an event that it was not given');
      if (row.r_outcome === 'stored') stored += 1;
      else tally.duplicate += 1;
      if (typeof event.sessionId === 'string') tally.sessions.set(event.sessionId, row.r_session_id);
      if (event.messageText !== null && row.r_message_id !== null)
        tally.messages.set(event.messageText, row.r_message_id);
      // By a message of the team, which they have read themselves.
      if (row.r_mark_moved && row.r_message_id !== null)
        publishMark(this.#context, row.r_session_id, 'staff', row.r_message_id, row.r_message_id);
    }
    tally.accepted += stored;
    if (stored > 0) this.#context.committed();
  }

  #count(source: IntakeSource, tally: Tally): void {
    const refused = new Set(tally.refused.map(({ index }) => index)).size;
    if (tally.accepted > 0) this.#observer.taken(source, 'accepted', tally.accepted);
    if (tally.duplicate > 0) this.#observer.taken(source, 'duplicate', tally.duplicate);
    if (refused > 0) this.#observer.taken(source, 'refused', refused);
  }
}

function requireBounded(events: readonly IncomingEvent[]): void {
  if (events.length > INTAKE_MAX_EVENTS) throw new RangeError(`at most ${INTAKE_MAX_EVENTS} events at a time`);
}

/** The well-formed events, in order; the faults of the others are recorded. */
function sort(events: readonly IncomingEvent[], tally: Tally): Placed[] {
  const good: Placed[] = [];
  for (const [index, incoming] of events.entries()) {
    const parsed = parseEvent(incoming);
    if (parsed.ok) good.push({ index, event: parsed.event });
    else for (const problem of parsed.problems) tally.refused.push({ index, ...problem });
  }
  return good;
}

function refusedByDatabase(index: number, error: unknown): RefusedEvent {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return { index, path: '', message: `cannot be stored (${code})` };
}

function invalid(refused: readonly RefusedEvent[]): ChatError {
  const fields = refused.slice(0, 50).map(({ index, path, message }) => ({
    path: path === '' ? `events.${index}` : `events.${index}.${path}`,
    message,
  }));
  return new ChatError('validation_failed', 'an event is malformed; none of the request was stored', {
    details: { fields },
  });
}
