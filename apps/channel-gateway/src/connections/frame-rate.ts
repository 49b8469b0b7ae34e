import type { Connection } from './connection.ts';

/**
 * Acks and pings are not counted by the frame rate, but a flood of them is limited, far above what any client sends.
 */
const FREE_PER_SECOND = 100;
const FREE_BURST = 300;

/** Limits the inbound frames of a connection: two token buckets in its own fields. */
export class FrameRate {
  readonly #perSecond: number;
  readonly #burst: number;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = Math.max(burst, 1);
  }

  get burst(): number {
    return this.#burst;
  }

  /** Returns false if the frame exceeds the rate. */
  take(connection: Connection, now: number): boolean {
    if (this.#perSecond <= 0) return true;
    this.#refill(connection, now);
    if (connection.frameTokens < 1) return false;
    connection.frameTokens -= 1;
    return true;
  }

  /** For acks and pings. `freeFramesUsed` counts what is used, so that a new connection starts with 0. */
  takeFree(connection: Connection, now: number): boolean {
    this.#refill(connection, now);
    if (connection.freeFramesUsed >= FREE_BURST) return false;
    connection.freeFramesUsed += 1;
    return true;
  }

  #refill(connection: Connection, now: number): void {
    const seconds = (now - connection.framesAt) / 1_000;
    if (seconds <= 0) return;
    connection.framesAt = now;
    connection.frameTokens = Math.min(this.#burst, connection.frameTokens + seconds * this.#perSecond);
    connection.freeFramesUsed = Math.max(0, connection.freeFramesUsed - seconds * FREE_PER_SECOND);
  }
}
