import type { Hop } from '@chat-realtime/protocol';

/** So many of the last hops are remembered by a process; about 4 MB when it is full. */
const REMEMBERED = 20_000;

/** One step of one event, as the process that took it remembers it. */
export type HopEntry = Pick<Hop, 'hop' | 'path' | 'to' | 'sockets' | 'connections'> & {
  readonly sessionId: number;
  readonly seq: number;
  /** Unix ms. */
  readonly at: number;
};

/** In the form for other processes. */
export function renderHop(entry: HopEntry, where: string): Hop {
  const { sessionId: _, seq: __, at, ...hop } = entry;
  return { ...hop, at: new Date(at).toISOString(), where };
}

/** What happened to which event lately. A ring: the cost of an entry is one small object, and nothing is written anywhere. */
export class HopJournal {
  readonly #entries: (HopEntry | undefined)[];
  #next = 0;

  constructor(remembered = REMEMBERED) {
    this.#entries = Array.from({ length: remembered });
  }

  record(entry: HopEntry): void {
    this.#entries[this.#next] = entry;
    this.#next = this.#next + 1 === this.#entries.length ? 0 : this.#next + 1;
  }

  /** In the order in which they happened. It scans all of them, since it serves a person and not a loop. */
  find(sessionId: number, seq: number): HopEntry[] {
    const found = this.#entries.filter(
      (entry): entry is HopEntry => entry !== undefined && entry.sessionId === sessionId && entry.seq === seq,
    );
    return found.sort((a, b) => a.at - b.at);
  }
}
