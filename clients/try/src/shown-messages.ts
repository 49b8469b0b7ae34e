/** A message as a page shows it. */
export interface Shown {
  readonly id: number;
  /** Written by this side: it may stand there before older ones of the other side have come. */
  readonly own: boolean;
}

/** What one observer was shown, from the first moment on: a message that vanished later still was shown. */
export class ShownMessages {
  /** When each was seen first, in Unix milliseconds. */
  readonly seen = new Map<number, number>();
  readonly #doubled = new Set<number>();
  readonly #disordered = new Set<number>();
  #lowest = Number.POSITIVE_INFINITY;
  #highest = Number.NEGATIVE_INFINITY;

  get doubled(): number {
    return this.#doubled.size;
  }

  get disordered(): number {
    return this.#disordered.size;
  }

  /** The whole page, from top to bottom. */
  look(shown: readonly Shown[], at: number): void {
    const present = new Set<number>();
    let above = Number.NEGATIVE_INFINITY;
    for (const { id, own } of shown) {
      if (present.has(id)) this.#doubled.add(id);
      if (id < above) this.#disordered.add(id);
      present.add(id);
      above = Math.max(above, id);
      if (!this.seen.has(id)) this.#first(id, own, at);
    }
    // After the whole page: what stands together came together.
    for (const { id, own } of shown) if (!own) this.#widen(id);
  }

  /** One frame of a stream. */
  receive(id: number, at: number): void {
    if (this.seen.has(id)) this.#doubled.add(id);
    else this.#first(id, false, at);
    this.#widen(id);
  }

  /** Beginning of the history comes later by right; what slips in between did not come in its turn. */
  #first(id: number, own: boolean, at: number): void {
    this.seen.set(id, at);
    if (!own && id > this.#lowest && id < this.#highest) this.#disordered.add(id);
  }

  #widen(id: number): void {
    this.#lowest = Math.min(this.#lowest, id);
    this.#highest = Math.max(this.#highest, id);
  }
}
