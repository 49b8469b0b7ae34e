/** How long to wait after an empty look into the outbox, in milliseconds. */
export interface Pauses {
  /** While the site is quiet. */
  readonly restMs: number;
  /** While it writes. */
  readonly busyMs: number;
}

/** A writer usually writes again soon. */
const BUSY_FOR_MS = 3_000;

/**
 * Without notifications, each look costs the site's database a moment, and a long pause delays the reader: looks are
 * close together while rows have come recently, and far apart otherwise.
 */
export class Pace {
  readonly #pauses: Pauses;
  readonly #now: () => number;
  #busyUntil = Number.NEGATIVE_INFINITY;

  /** `now`: milliseconds of a monotonic clock. */
  constructor(pauses: Pauses, now: () => number = () => performance.now()) {
    this.#pauses = pauses;
    this.#now = now;
  }

  saw(rows: number): void {
    if (rows > 0) this.#busyUntil = this.#now() + BUSY_FOR_MS;
  }

  get pauseMs(): number {
    return this.#now() < this.#busyUntil ? this.#pauses.busyMs : this.#pauses.restMs;
  }
}
