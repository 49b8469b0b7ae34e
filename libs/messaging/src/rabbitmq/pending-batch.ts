import { SilenceError } from '../errors.ts';
import type { PublishResult } from '../ports/event-queue.ts';

export const CONFIRM_TIMEOUT_MS = 10_000;

/** A published batch until all its messages are confirmed or one of them cannot be. */
export class PendingBatch {
  readonly #ids: readonly string[];
  readonly #confirmed: Uint8Array;
  readonly #finished: (result: PublishResult) => void;
  readonly #timer: NodeJS.Timeout;
  #open: number;
  #done = false;

  constructor(ids: readonly string[], timeoutMs: number, finished: (result: PublishResult) => void) {
    this.#ids = ids;
    this.#confirmed = new Uint8Array(ids.length);
    this.#open = ids.length;
    this.#finished = finished;
    this.#timer = setTimeout(() => this.fail(new SilenceError()), timeoutMs);
  }

  id(index: number): string {
    const id = this.#ids[index];
    if (id === undefined) throw new RangeError(`no message ${index} in this batch`);
    return id;
  }

  has(id: string): boolean {
    return this.#ids.includes(id);
  }

  confirm(index: number): void {
    if (this.#done || this.#confirmed[index] === 1) return;
    this.#confirmed[index] = 1;
    this.#open -= 1;
    if (this.#open === 0) this.#finish({ confirmed: this.#ids.length });
  }

  fail(failure: Error): void {
    if (this.#done) return;
    const first = this.#confirmed.indexOf(0);
    this.#finish({ confirmed: first === -1 ? this.#ids.length : first, failure });
  }

  #finish(result: PublishResult): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#finished(result);
  }
}
