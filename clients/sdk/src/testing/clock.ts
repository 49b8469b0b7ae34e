/** Lets everything run that only waits for promises, streams included. */
export function settle(): Promise<void> {
  const { setImmediate: immediate } = globalThis as { setImmediate?: (run: () => void) => void };
  return new Promise((resolve) => (immediate ? immediate(resolve) : setTimeout(resolve)));
}

export interface VirtualClock {
  readonly now: () => number;
  readonly setTimer: (callback: () => void, ms: number) => number;
  readonly clearTimer: (timer: unknown) => void;
  /** Turns the clock, running what falls due in order, and what follows from it. */
  readonly advance: (ms: number) => Promise<void>;
  readonly pending: number;
}

interface Entry {
  readonly id: number;
  readonly at: number;
  readonly run: () => void;
}

export function createClock(start = Date.UTC(2026, 0, 1)): VirtualClock {
  let time = start;
  let lastId = 0;
  const entries = new Map<number, Entry>();
  const next = (until: number): Entry | null => {
    let found: Entry | null = null;
    for (const entry of entries.values()) {
      if (entry.at > until) continue;
      if (!found || entry.at < found.at || (entry.at === found.at && entry.id < found.id)) found = entry;
    }
    return found;
  };
  return {
    now: () => time,
    setTimer(run, ms) {
      lastId += 1;
      entries.set(lastId, { id: lastId, at: time + Math.max(0, ms), run });
      return lastId;
    },
    clearTimer: (timer) => void entries.delete(timer as number),
    get pending() {
      return entries.size;
    },
    async advance(ms) {
      const until = time + ms;
      await settle();
      for (let entry = next(until); entry; entry = next(until)) {
        entries.delete(entry.id);
        time = Math.max(time, entry.at);
        entry.run();
        await settle();
      }
      time = until;
    },
  };
}
