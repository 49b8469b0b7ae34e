/** Small, fast, repeatable: a run that failed is run again with the seed it printed in its variable. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** mulberry32 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  }

  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.integer(0, values.length - 1)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }

  shuffled<T>(values: readonly T[]): T[] {
    const drawn = values.map((value) => ({ value, place: this.next() }));
    return drawn.toSorted((a, b) => a.place - b.place).map(({ value }) => value);
  }

  /** A stream of its own, so that concurrent actors do not take numbers from each other. */
  fork(): SeededRandom {
    return new SeededRandom(this.integer(0, 2 ** 31));
  }
}

export function runSeed(variable = 'RESUME_SEED'): number {
  const given = process.env[variable];
  return given === undefined ? Date.now() % 2 ** 31 : Number(given);
}
