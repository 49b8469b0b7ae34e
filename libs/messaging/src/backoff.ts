/** Waiting times between attempts: exponential, with jitter so that many clients of one server do not come back at once. */
export class Backoff {
  #attempt = 0;
  readonly #minMs: number;
  readonly #maxMs: number;

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** Between half of the current step and the whole of it. */
  next(): number {
    const step = Math.min(this.#maxMs, this.#minMs * 2 ** this.#attempt);
    if (step < this.#maxMs) this.#attempt += 1;
    return step / 2 + (Math.random() * step) / 2;
  }

  reset(): void {
    this.#attempt = 0;
  }
}
