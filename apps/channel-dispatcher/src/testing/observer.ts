import type { Fanout } from '@chat-realtime/messaging';
import { STAFF_CHANNEL } from '@chat-realtime/protocol';

interface Frame {
  readonly session_id: number;
  readonly seq: number | null;
}

/** What a gateway would see on `chat:staff`: which seqs came, and whether a session's first deliveries were in order. */
export class Observer {
  readonly #highest = new Map<number, number>();
  readonly #seen = new Map<number, Set<number>>();
  frames = 0;
  outOfOrder = 0;

  async watch(fanout: Fanout): Promise<void> {
    await fanout.subscribe(STAFF_CHANNEL, (payload) => this.#observe(JSON.parse(payload.toString())));
  }

  /** Distinct events seen over all sessions. */
  get distinct(): number {
    let count = 0;
    for (const seqs of this.#seen.values()) count += seqs.size;
    return count;
  }

  #observe({ session_id: sessionId, seq }: Frame): void {
    this.frames += 1;
    if (seq === null) return;
    let seqs = this.#seen.get(sessionId);
    if (seqs === undefined) this.#seen.set(sessionId, (seqs = new Set()));
    if (seqs.has(seq)) return;
    seqs.add(seq);
    // A repetition may come late; something new behind something newer may not.
    const highest = this.#highest.get(sessionId) ?? 0;
    if (seq < highest) this.outOfOrder += 1;
    else this.#highest.set(sessionId, seq);
  }
}
