import type { CatchupResponse } from '@chat-realtime/protocol';

/** Where events of a chat are counted on their way. `checked`: brought by comparison with the database instead. */
export const HOPS = ['queued', 'taken', 'dropped', 'fanned', 'arrived', 'wiped', 'checked'] as const;
export type Hop = (typeof HOPS)[number];
export type HopCounts = Readonly<Record<Hop, number>>;

const NOTHING: HopCounts = { queued: 0, taken: 0, dropped: 0, fanned: 0, arrived: 0, wiped: 0, checked: 0 };

/** Counts the events that pass each part, for the picture of the path. It never changes them. */
export class PathMeter {
  readonly #counts = new Map<number, HopCounts>();
  readonly #listeners = new Set<() => void>();

  count(sessionId: number, hop: Hop, by = 1): void {
    const counts = this.of(sessionId);
    this.#counts.set(sessionId, { ...counts, [hop]: counts[hop] + by });
    this.changed();
  }

  countCatchup({ sessions }: CatchupResponse): void {
    for (const { id, events } of sessions) {
      if (events !== undefined && events.length > 0) this.count(id, 'checked', events.length);
    }
  }

  of(sessionId: number): HopCounts {
    return this.#counts.get(sessionId) ?? NOTHING;
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
