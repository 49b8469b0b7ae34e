const WINDOW_MS = 60_000;

/** At most so many calls in any minute. */
export class MinuteBudget {
  readonly #perMinute: number;
  readonly #now: () => number;
  #taken: number[] = [];

  /** `now`: milliseconds of a monotonic clock. */
  constructor(perMinute: number, now: () => number = () => performance.now()) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** Milliseconds until the next call may be made; 0: now. */
  wait(): number {
    const now = this.#now();
    this.#taken = this.#taken.filter((at) => at > now - WINDOW_MS);
    const [oldest] = this.#taken;
    return oldest === undefined || this.#taken.length < this.#perMinute ? 0 : oldest + WINDOW_MS - now;
  }

  take(): void {
    this.#taken.push(this.#now());
  }
}
