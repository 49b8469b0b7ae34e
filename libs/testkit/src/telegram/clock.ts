/** The time of the fake Telegram: what its answers are dated, how it spaces them, and how long it waits. */
export interface ApiClock {
  /** Milliseconds of the wall clock. */
  date(): number;
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Does `work` after so long; what it returns calls it off. */
  later(work: () => void, ms: number): () => void;
}

export const realClock: ApiClock = {
  date: () => Date.now(),
  now: () => performance.now(),
  later: (work, ms) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

interface Waiting {
  readonly at: number;
  readonly work: () => void;
}

/** Stands still until a test moves it. */
export class ManualClock implements ApiClock {
  readonly #begin: number;
  #passed = 0;
  #waiting: Waiting[] = [];

  constructor(begin = Date.UTC(2026, 0, 1)) {
    this.#begin = begin;
  }

  date(): number {
    return this.#begin + this.#passed;
  }

  now(): number {
    return this.#passed;
  }

  later(work: () => void, ms: number): () => void {
    const one = { at: this.#passed + ms, work };
    this.#waiting.push(one);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== one);
    };
  }

  /** How many wait for a later moment. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Everything that is due by then is done, the earliest first. */
  advance(ms: number): void {
    const until = this.#passed + ms;
    for (;;) {
      const [next] = this.#waiting.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#passed = Math.max(this.#passed, next.at);
      next.work();
    }
    this.#passed = until;
  }
}
