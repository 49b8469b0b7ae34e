import { randomUUID } from 'node:crypto';
import type { Beginning, Older } from './beginning.ts';
import { type Delivery, eventsOf } from './delivery.ts';
import type { EventMapper, Names } from './events.ts';
import type { KnownSession, Ledger, MessageRow, Places, PlainEvent, SessionRow, SiteDatabase } from './ports.ts';
import type { Counts, SessionHistory } from './session-history.ts';
import { idOf, personOf } from './values.ts';

const PAGE = 200;
/** Number of messages remembered as refused by the ledger. */
const REMEMBERED = 20_000;

const NO_NAMES: Names = new Map();

export type Missed = 'session' | 'message' | 'status' | 'assigned';

export interface ReconcilerDeps {
  readonly mapper: EventMapper;
  readonly delivery: Delivery;
  readonly history: SessionHistory;
  readonly ledger: Ledger;
  readonly places: Places;
  /** Resolves when the outbox has been seen empty after the call: everything committed before it has been processed. */
  readonly drained: () => Promise<void>;
  readonly beginning: Beginning;
  readonly onMissed: (kind: Missed, count: number) => void;
  /** Rows from before the triggers that no backfill has stored yet. */
  readonly onOlder: (kind: Missed, count: number) => void;
}

/**
 * Scans the tables for rows that no trigger recorded: the outbox was dropped, a permission revoked, a row written by a
 * cascade or without the triggers. Each step scans the newest rows and the next page of all, round and round. Rows are
 * read, then the outbox is emptied; what the ledger still lacks was missed. A chat with a missed row is scanned from
 * its start, since rows before it may be missing too.
 */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  readonly #refused = new Set<string>();

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /** True: the round has ended, and the next step starts a new one. */
  async step(site: SiteDatabase): Promise<boolean> {
    const newestSessions = await site.newestSessions(PAGE);
    const newestMessages = await site.newestMessages(PAGE);
    const sessions = await this.#page('sessions', (after) => site.sessionsAfter(after, PAGE));
    const messages = await this.#page('messages', (after) => site.messagesAfter(after, PAGE));
    await this.#deps.drained();
    const older = await this.#deps.beginning.older();
    await this.#compareSessions(site, unique([...sessions.rows, ...newestSessions]), older);
    await this.#compareMessages(site, unique([...messages.rows, ...newestMessages]), older);
    await this.#deps.places.write('reconcile:sessions', sessions.next);
    await this.#deps.places.write('reconcile:messages', messages.next);
    const isEnd = sessions.next === '' && messages.next === '';
    if (isEnd) await this.#deps.beginning.noteRound();
    return isEnd;
  }

  async #page<R extends { readonly id: string }>(name: string, read: (after: string | null) => Promise<R[]>) {
    const place = await this.#deps.places.read(`reconcile:${name}`);
    const rows = await read(place === '' ? null : place);
    return { rows, next: rows.length < PAGE ? '' : (rows.at(-1)?.id ?? '') };
  }

  async #compareSessions(site: SiteDatabase, rows: readonly SessionRow[], older: Older): Promise<void> {
    const { mapper, delivery, ledger, onMissed, onOlder } = this.#deps;
    const ids = rows.map(({ id }) => id);
    const before = await ledger.sessions(ids);
    for (const id of ids) if (!before.has(id)) await this.#bring(site, older, id);
    for (const [told, some] of [
      [onOlder, rows.filter(({ id }) => older.session(id))],
      [onMissed, rows.filter(({ id }) => !older.session(id))],
    ] as const) {
      const created = await delivery.take(await eventsOf(site, mapper, some, []), 'table');
      if (created.accepted > 0) told('session', created.accepted);
    }
    const known = await ledger.sessions(ids);
    // Read again: a change since they were read may not have been processed yet.
    const now = new Map((await site.sessions(ids)).map((row) => [row.id, row]));
    const differences = rows.flatMap((row) => {
      const state = known.get(row.id);
      return state === undefined || !isSame(row, now.get(row.id)) ? [] : this.#differences(row, state);
    });
    await delivery.take(
      differences.map(({ event }) => event),
      'table',
    );
    for (const { kind } of differences) onMissed(kind, 1);
  }

  async #compareMessages(site: SiteDatabase, rows: readonly MessageRow[], older: Older): Promise<void> {
    const offered = rows.filter(({ id }) => !this.#refused.has(id));
    const missing = await this.#unknown(offered);
    const last = new Map(missing.map(({ session, id }) => [session, id]));
    for (const [session, id] of last) await this.#bring(site, older, session, id);
    // They were offered, and the ledger still does not have them.
    for (const { id } of await this.#unknown(missing)) {
      if (this.#refused.size >= REMEMBERED) this.#refused.clear();
      this.#refused.add(id);
    }
  }

  async #unknown(rows: readonly MessageRow[]): Promise<MessageRow[]> {
    const { mapper, ledger } = this.#deps;
    const carried = rows.flatMap((row) => {
      const event = mapper.message(row, NO_NAMES);
      return event === null ? [] : [{ row, event }];
    });
    const unknown = new Set(await ledger.unknown(carried.map(({ event }) => event)));
    return carried.flatMap(({ row, event }) => (unknown.has(event) ? [row] : []));
  }

  async #bring(site: SiteDatabase, older: Older, session: string, through?: string): Promise<void> {
    const { mapper, history, onMissed, onOlder } = this.#deps;
    const brought = await history.bring(session, through, site, mapper, older);
    tell(brought.missed, onMissed);
    tell(brought.older, onOlder);
  }

  #differences(row: SessionRow, state: KnownSession) {
    const { mapper } = this.#deps;
    const found: { readonly kind: Missed; readonly event: PlainEvent }[] = [];
    const add = (kind: 'status' | 'assigned', data: PlainEvent['data']) => {
      const type = `chat.session.${kind}`;
      found.push({ kind, event: { type, session_id: idOf(row.id), message_id: randomUUID(), data } });
    };
    const assignee = personOf(row.assigned);
    if (mapper.hasAssignee && assignee !== state.assigned)
      add('assigned', { assigned_user_id: assignee, by: 'system' });
    const status = mapper.status(row.status);
    if (status !== null && status !== state.status)
      add('status', { status, previous: state.status, reason: 'operator' });
    return found;
  }
}

function tell({ sessions, messages }: Counts, to: (kind: Missed, count: number) => void): void {
  if (sessions > 0) to('session', sessions);
  if (messages > 0) to('message', messages);
}

function unique<R extends { readonly id: string }>(rows: readonly R[]): R[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

function isSame(row: SessionRow, now: SessionRow | undefined): boolean {
  return now !== undefined && now.status === row.status && now.assigned === row.assigned;
}
