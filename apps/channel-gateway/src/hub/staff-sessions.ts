import type { LiveFrame } from './live-frame.ts';

/** Sessions remembered for their order; beyond it those settled longest ago are asked for again when they stir. */
const SESSIONS_MAX = 20_000;
const HELD_MAX = 100;

/** Order of one session on the staff channel. */
export interface StaffSession {
  readonly id: number;
  /** Highest seq sent without a hole; -1 while the base at the watermark is not known. */
  last: number;
  /** Highest seq that a feed page has shown: up to here the watermark covers it. */
  settled: number;
  lastMessageId: number;
  held: Map<number, LiveFrame> | null;
}

/** What staff connections have been sent of each session, least recently stirred first. */
export class StaffSessions {
  readonly #sessions = new Map<number, StaffSession>();

  get(id: number): StaffSession | undefined {
    return this.#sessions.get(id);
  }

  /** The entry, made if need be, now the most recent one. */
  touch(id: number): StaffSession {
    let session = this.#sessions.get(id);
    if (session === undefined) {
      session = { id, last: -1, settled: 0, lastMessageId: 0, held: null };
      this.#evict();
    } else {
      this.#sessions.delete(id);
    }
    this.#sessions.set(id, session);
    return session;
  }

  clear(): void {
    this.#sessions.clear();
  }

  *withoutBase(): Generator<StaffSession> {
    for (const session of this.#sessions.values()) if (session.last < 0 && session.held !== null) yield session;
  }

  /** Only a session whose every sent event lies before the watermark may be forgotten: its base there is its last. */
  #evict(): void {
    if (this.#sessions.size < SESSIONS_MAX) return;
    for (const [id, session] of this.#sessions) {
      if (session.held !== null || session.settled < session.last) continue;
      this.#sessions.delete(id);
      return;
    }
  }
}

/** False when there is no room: the frame will be read again. */
export function holdFrame(session: StaffSession, seq: number, frame: LiveFrame): boolean {
  session.held ??= new Map();
  if (session.held.size >= HELD_MAX) return false;
  session.held.set(seq, frame);
  return true;
}
