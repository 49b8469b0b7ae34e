import { setTimeout as sleep } from 'node:timers/promises';
import type { DeadLetters, Intake, KnownSession, Ledger, Places, PlainEvent, Refused, Taken } from '../ports.ts';

export interface StoredEvent extends PlainEvent {
  readonly seq: number;
}

/** A ledger in memory: each event once, in the order given, known by its message_id or by its type and its id. */
export class MemoryLedger implements Intake, Ledger, Places, DeadLetters {
  readonly stored = new Map<string, StoredEvent[]>();
  readonly refused: { readonly event: PlainEvent; readonly reason: string }[] = [];
  readonly #keys = new Set<string>();
  readonly #places = new Map<string, string>();
  readonly #states = new Map<string, { status: string; assigned: string | null }>();
  /** Answers nothing while it is away. */
  away = false;
  /** How long the next reading of a place takes, in milliseconds; once for each. */
  readonly slowPlaces = new Map<string, number>();

  async take(events: readonly PlainEvent[]): Promise<Taken> {
    if (this.away) throw new Error('the ledger is away');
    let accepted = 0;
    let duplicate = 0;
    const refused: Refused[] = [];
    for (const [index, event] of events.entries()) {
      const problem = problemOf(event);
      if (problem !== undefined) refused.push({ index, ...problem });
      else if (this.#isKnown(event)) duplicate += 1;
      else {
        accepted += 1;
        this.#store(event);
      }
    }
    return { accepted, duplicate, refused };
  }

  async sessions(ids: readonly string[]): Promise<ReadonlyMap<string, KnownSession>> {
    return new Map(ids.flatMap((id) => (this.#states.has(id) ? [[id, this.#states.get(id) as KnownSession]] : [])));
  }

  async unknown(messages: readonly PlainEvent[]): Promise<PlainEvent[]> {
    if (this.away) throw new Error('the ledger is away');
    return messages.filter((event) => !keysOf(event).some((key) => this.#keys.has(key)));
  }

  async read(name: string): Promise<string | null> {
    const place = this.#places.get(name) ?? null;
    const slowMs = this.slowPlaces.get(name) ?? 0;
    this.slowPlaces.delete(name);
    if (slowMs > 0) await sleep(slowMs);
    return place;
  }

  async write(name: string, place: string): Promise<void> {
    this.#places.set(name, place);
  }

  async writeFirst(name: string, place: string): Promise<void> {
    if (!this.#places.has(name)) this.#places.set(name, place);
  }

  async clear(name: string): Promise<void> {
    this.#places.delete(name);
  }

  async names(prefix: string): Promise<string[]> {
    return [...this.#places.keys()].filter((name) => name.startsWith(prefix));
  }

  async put(event: PlainEvent, reason: string): Promise<void> {
    this.refused.push({ event, reason });
  }

  events(session: number | string): readonly StoredEvent[] {
    return this.stored.get(String(session)) ?? [];
  }

  bodies(session?: number | string): string[] {
    const all = session === undefined ? [...this.stored.values()].flat() : this.events(session);
    return all.flatMap(({ data }) => (typeof data['body'] === 'string' ? [data['body']] : []));
  }

  #isKnown(event: PlainEvent): boolean {
    const keys = keysOf(event);
    const known = keys.some((key) => this.#keys.has(key));
    for (const key of keys) this.#keys.add(key);
    return known;
  }

  #store(event: PlainEvent): void {
    const id = String(event.session_id);
    const events = this.stored.get(id) ?? [];
    this.stored.set(id, [...events, { ...event, seq: events.length + 1 }]);
    const state = this.#states.get(id) ?? { status: 'new', assigned: null };
    this.#states.set(id, state);
    const { data } = event;
    const session = data['session'] as { status?: string; assigned_user_id?: string | null } | undefined;
    if (event.type === 'chat.session.status') state.status = String(data['status']);
    if (event.type === 'chat.session.assigned') state.assigned = data['assigned_user_id'] as string | null;
    if (session !== undefined) {
      state.status = session.status ?? state.status;
      state.assigned = session.assigned_user_id ?? state.assigned;
    }
  }
}

function keysOf(event: PlainEvent): string[] {
  const byData =
    event.type === 'chat.message' || event.type === 'chat.session.created'
      ? [`${event.session_id} ${event.type} ${String(event.data['id'] ?? '')}`]
      : [];
  return [...(event.message_id === undefined ? [] : [event.message_id]), ...byData];
}

function problemOf({ type, data }: PlainEvent): { path: string; message: string } | undefined {
  if (type !== 'chat.message') return undefined;
  if (!['client', 'operator', 'system'].includes(String(data['sender_type'])))
    return { path: 'data.sender_type', message: 'is no kind of sender' };
  const { body } = data;
  return typeof body === 'string' && body.length > 10_000 ? { path: 'data.body', message: 'is too long' } : undefined;
}
