import type { Clock, Timer } from '../clock.ts';

interface Entry {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}

/** Runs everything that waits only for promises. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Time that passes only when a test says so: due work runs in order, with everything that follows from it. */
export class VirtualClock implements Clock {
  /** A binary heap. */
  readonly #entries: Entry[] = [];
  #start: number;
  #time = 0;
  #order = 0;
  #steps = 0;

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#start = start;
  }

  /** How many timers have run. */
  get steps(): number {
    return this.#steps;
  }

  now(): number {
    return this.#time;
  }

  wall(): number {
    return this.#start + this.#time;
  }

  /** Somebody sets the clock of the machine; intervals are not affected. */
  setWall(byMs: number): void {
    this.#start += byMs;
  }

  after(ms: number, run: () => void): Timer {
    const entry: Entry = { at: this.#time + Math.max(0, ms), order: this.#order, run };
    this.#order += 1;
    this.#push(entry);
    return {
      cancel: () => {
        entry.run = null;
      },
    };
  }

  endOfTurn(run: () => void): void {
    this.after(0, run);
  }

  async advance(ms: number): Promise<void> {
    const until = this.#time + ms;
    await settle();
    for (let entry = this.#next(until); entry !== undefined; entry = this.#next(until)) {
      this.#time = Math.max(this.#time, entry.at);
      if (entry.run === null) continue;
      this.#steps += 1;
      entry.run();
      await settle();
    }
    this.#time = until;
  }

  /** Time passes and nothing runs in the meantime, as when the process is paused. */
  freeze(ms: number): void {
    this.#time += ms;
  }

  /** Advances the clock until `read` returns a value; fails after `within` milliseconds without one. */
  async until<T>(read: () => T | undefined, what: string, within = 30_000): Promise<T> {
    for (const deadline = this.#time + within; this.#time <= deadline; ) {
      const value = read();
      if (value !== undefined) return value;
      await this.advance(10);
    }
    throw new Error(`${what} did not happen within ${within} ms of virtual time`);
  }

  #push(entry: Entry): void {
    const heap = this.#entries;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #next(until: number): Entry | undefined {
    const heap = this.#entries;
    const [first] = heap;
    if (first === undefined || first.at > until) return undefined;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const right = heap[child + 1];
      const left = heap[child];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child += 1;
      const below = heap[child];
      if (below === undefined || !isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}
