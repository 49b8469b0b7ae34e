import type { LastSeen, LastSeenEntry } from '../ports/last-seen.ts';

interface SessionMarks {
  readonly marks: Map<string, { lastId: number; at: number }>;
  touchedAt: number;
}

class MemoryLastSeen implements LastSeen {
  readonly #sessions = new Map<number, SessionMarks>();
  readonly #ttlMs: number;
  #epoch: string | null = null;

  constructor(ttlSeconds: number) {
    this.#ttlMs = ttlSeconds * 1_000;
  }

  async begin(epoch: string, changed: boolean): Promise<void> {
    if (changed || this.#epoch !== epoch) this.#sessions.clear();
    this.#epoch = epoch;
  }

  async record(entries: readonly LastSeenEntry[]): Promise<void> {
    const now = performance.now();
    for (const { sessionId, participant, lastId, at } of entries) {
      let session = this.#sessions.get(sessionId);
      if (session === undefined) this.#sessions.set(sessionId, (session = { marks: new Map(), touchedAt: now }));
      session.touchedAt = now;
      const mark = session.marks.get(participant);
      if (mark === undefined || lastId > mark.lastId) session.marks.set(participant, { lastId, at });
    }
  }

  async read(sessionId: number): Promise<readonly LastSeenEntry[]> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || this.#expired(session)) return [];
    return [...session.marks].map(([participant, mark]) => ({ sessionId, participant, ...mark }));
  }

  /** Nothing here is without a TTL; the sweep is when expired sessions leave the memory. */
  async sweep(): Promise<number> {
    for (const [sessionId, session] of this.#sessions) {
      if (this.#expired(session)) this.#sessions.delete(sessionId);
    }
    return 0;
  }

  async close(): Promise<void> {
    this.#sessions.clear();
  }

  #expired(session: SessionMarks): boolean {
    return performance.now() - session.touchedAt >= this.#ttlMs;
  }
}

export function createMemoryLastSeen(options: { readonly ttlSeconds?: number } = {}): LastSeen {
  return new MemoryLastSeen(options.ttlSeconds ?? 86_400);
}
