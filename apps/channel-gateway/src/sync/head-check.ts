import type { CoreMetrics } from '../core-metrics.ts';

/** Interval while the live path is impaired. */
const IMPAIRED_MS = 2_000;
const JITTER = 0.2;

export interface HeadCheckOptions {
  readonly seconds: number;
  readonly metrics: CoreMetrics;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly now: number;
}

/**
 * When the heads of all sessions here are compared with chat-service: the only way to notice that the last event of a
 * burst was lost on the live path.
 */
export class HeadCheck {
  readonly #intervalMs: number;
  readonly #metrics: CoreMetrics;
  readonly #random: () => number;
  #nextAt: number;
  #startedAt = 0;

  constructor({ seconds, metrics, random, now }: HeadCheckOptions) {
    this.#intervalMs = seconds * 1_000;
    this.#metrics = metrics;
    this.#random = random;
    this.#nextAt = now + this.#jittered();
  }

  /** Something may have been missed: check now. */
  hurry(): void {
    this.#nextAt = 0;
  }

  due(now: number, impaired: boolean): boolean {
    if (impaired) this.#nextAt = Math.min(this.#nextAt, this.#startedAt + IMPAIRED_MS);
    if (now < this.#nextAt) return false;
    this.#startedAt = now;
    this.#nextAt = now + this.#jittered();
    return true;
  }

  finished(now: number): void {
    this.#metrics.headCheckDuration((now - this.#startedAt) / 1_000);
  }

  #jittered(): number {
    return this.#intervalMs * (1 - JITTER + this.#random() * 2 * JITTER);
  }
}
