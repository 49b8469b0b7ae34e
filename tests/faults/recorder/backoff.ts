import type { SeededRandom } from '../../support/seeded-random.ts';

const MIN_MS = 100;
const BASE_MS = 500;
const MAX_MS = 30_000;
const HEALTHY_MS = 30_000;

/**
 * The longest waits SPEC.md allows a client, as if the server answered each time; only a connection that lasted makes
 * it start anew.
 */
export class Backoff {
  #failures = 0;
  #connectedAt: number | null = null;
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  connected(): void {
    this.#connectedAt = Date.now();
  }

  /** How long to wait after a failure or a loss. */
  next(): number {
    if (this.#connectedAt !== null && Date.now() - this.#connectedAt > HEALTHY_MS) this.#failures = 0;
    this.#connectedAt = null;
    const ceiling = Math.min(MAX_MS, BASE_MS * 2 ** this.#failures);
    this.#failures += 1;
    return Math.max(MIN_MS, this.#random.next() * ceiling);
  }
}
