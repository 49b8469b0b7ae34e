/** Rounds after which a silent reader counts as gone. */
const ROUNDS = 3;

/**
 * Distributes the queues among several dispatchers. RabbitMQ gives a queue to the consumer that came first, so the
 * first dispatcher would get all of them. Each reader announces itself in every queue once a round. The readers of a
 * queue know each other from these messages and derive the owner from their order. There is no coordinator and no
 * stored state.
 */
export class QueueShares {
  readonly id: string;
  readonly #roundMs: number;
  /** When each reader was last seen, by queue. A reader is only seen in queues that are read here. */
  readonly #seenAt = new Map<string, Map<string, number>>();

  constructor(id: string, roundMs: number) {
    this.id = id;
    this.#roundMs = roundMs;
  }

  seen(queue: string, reader: string, now: number): void {
    const readers = this.#seenAt.get(queue) ?? new Map<string, number>();
    this.#seenAt.set(queue, readers.set(reader, now));
  }

  /** Those of `queues` that are read here and belong to another. */
  toHandOver(queues: readonly string[], now: number): string[] {
    return queues.filter((queue, index) => {
      const readers = this.#readersOf(queue, now);
      return readers.includes(this.id) && readers[index % readers.length] !== this.id;
    });
  }

  /** It is the turn of another reader, which will be determined again. */
  forget(queue: string): void {
    this.#seenAt.delete(queue);
  }

  #readersOf(queue: string, now: number): string[] {
    const readers = this.#seenAt.get(queue) ?? new Map<string, number>();
    for (const [reader, at] of readers) if (now - at > ROUNDS * this.#roundMs) readers.delete(reader);
    return [...readers.keys()].sort();
  }
}
