import { ChatError } from '@chat-realtime/protocol';

const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;

interface Later {
  readonly untilMs: number;
  readonly tries: number;
}

/** Mails that could not be processed yet, each with the time of its next retry. Other mails do not wait for them. */
export class DeferredMails {
  readonly #later = new Map<number, Later>();

  /** Those of `unseen` that are due, in order. Mails that are no longer unseen are removed. Times are monotonic. */
  due(unseen: readonly number[], nowMs: number): number[] {
    const there = new Set(unseen);
    for (const uid of this.#later.keys()) if (!there.has(uid)) this.#later.delete(uid);
    return unseen.filter((uid) => (this.#later.get(uid)?.untilMs ?? nowMs) <= nowMs);
  }

  /** When the server that refused it said; otherwise after a minute, doubled with each further try. */
  put(uid: number, error: unknown, nowMs: number): void {
    const tries = (this.#later.get(uid)?.tries ?? 0) + 1;
    const asked = error instanceof ChatError ? error.retryAfterSeconds : undefined;
    const own = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries - 1, 10));
    this.#later.set(uid, { untilMs: nowMs + (asked === undefined ? own : asked * 1_000), tries });
  }
}
