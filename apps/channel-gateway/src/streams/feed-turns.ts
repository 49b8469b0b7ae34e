/** A reader that wants the feed after a number. */
export interface FeedReader {
  /** Its identity, whatever number it has reached. */
  readonly key: object;
  readonly after: number;
}

/**
 * Decides whose page of the feed is read next. Distinct cursors take turns, and of those that arrived together the one
 * closest to the head is first. So an operator far behind delays nobody, and later ones do not delay them.
 */
export class FeedTurns {
  #turn = 0;
  readonly #served = new WeakMap<object, number>();

  /** Readers at the same number share the page. */
  next(readers: readonly FeedReader[]): number | null {
    let best: FeedReader | undefined;
    let bestTurn = 0;
    for (const reader of readers) {
      const turn = this.#turnOf(reader.key);
      const isBefore = best === undefined || turn < bestTurn || (turn === bestTurn && reader.after > best.after);
      if (!isBefore) continue;
      best = reader;
      bestTurn = turn;
    }
    if (best === undefined) return null;
    this.#turn += 1;
    for (const { key, after } of readers) if (after === best.after) this.#served.set(key, this.#turn);
    return best.after;
  }

  /** A new reader comes before those who have had their last turn, and after those who still wait. */
  #turnOf(key: object): number {
    const known = this.#served.get(key);
    if (known !== undefined) return known;
    const turn = this.#turn - 0.5;
    this.#served.set(key, turn);
    return turn;
  }
}
