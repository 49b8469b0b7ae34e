/** How long to wait after an empty look into the outbox, in milliseconds. */
export interface Pauses {
  /** While the site is quiet. */
  readonly restMs: number;
  /** While it writes. */
  readonly busyMs: number;
}

/** Who writes once writes again soon. */
const BUSY_FOR_MS = 3_000;

/**
 * Where nothing tells of a new row, a look costs the site's database a moment and a long pause costs the reader its time:
 * looks are close together for as long as there was something a moment ago, and far apart otherwise.
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
