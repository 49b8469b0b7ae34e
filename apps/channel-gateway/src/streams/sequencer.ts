export type Verdict = 'known' | 'next' | 'early';

/**
 * One dense sequence as it arrives from a path that loses, repeats and reorders: what is known is dropped, what follows
 * is passed on, what came too early is held until what lies before it is there.
 */
export class Sequencer<T> {
  /** The last number that was passed on; -1 while it is not known where to begin. */
  cursor = -1;
  #held: Map<number, T> | null = null;
  readonly #heldMax: number;

  /** Beyond `heldMax` early items are dropped: they are read again with what is missing. */
  constructor(heldMax: number) {
    this.#heldMax = heldMax;
  }

  get heldCount(): number {
    return this.#held?.size ?? 0;
  }

  /** `next`: the caller passes it on now, and then whatever `following` gives. */
  accept(number: number, item: T): Verdict {
    if (number <= this.cursor) return 'known';
    if (number === this.cursor + 1) {
      this.cursor = number;
      return 'next';
    }
    this.hold(number, item);
    return 'early';
  }

  hold(number: number, item: T): void {
    this.#held ??= new Map();
    if (this.#held.size < this.#heldMax) this.#held.set(number, item);
  }

  /** The held item that follows the cursor, which moves to it. */
  following(): T | undefined {
    const held = this.#held;
    if (held === null) return undefined;
    const item = held.get(this.cursor + 1);
    if (item === undefined) {
      for (const number of held.keys()) if (number <= this.cursor) held.delete(number);
      if (held.size === 0) this.#held = null;
      return undefined;
    }
    this.cursor += 1;
    held.delete(this.cursor);
    return item;
  }

  /** A page has shown everything up to here, and what it did not show does not exist. */
  skipTo(number: number): void {
    if (number > this.cursor) this.cursor = number;
  }

  /** Forgets what came early: what lies before it does not exist. */
  dropHeld(): void {
    this.#held = null;
  }

  /** Forgets everything, what is held included. */
  restart(cursor: number): void {
    this.cursor = cursor;
    this.dropHeld();
  }
}
