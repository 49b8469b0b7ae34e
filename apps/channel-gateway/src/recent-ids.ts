/** The last `limit` values seen, to drop repeats. */
export class RecentIds<T> {
  readonly #ids = new Set<T>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(id: T): boolean {
    return this.#ids.has(id);
  }

  add(id: T): void {
    this.#ids.add(id);
    if (this.#ids.size <= this.#limit) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#ids.clear();
  }
}
