import type { Clock, Timer } from '../clock.ts';

/** A frame that another has overtaken usually comes within this time. */
const GRACE_MS = 50;
/** After a wait this long chat-service is asked for the last time, about 13 s after the hole was noticed. */
const LONGEST_MS = 6_400;

/**
 * A hole in a sequence, and when it is asked for. Each answer that has nothing of it doubles the wait: a number far ahead,
 * of a database that is gone or of a forged frame, must not be asked for without end.
 */
export class Gap {
  #waitMs = GRACE_MS;
  #isCounted = false;
  /** It must be asked for. */
  #isDue = false;

  get waitMs(): number {
    return this.#waitMs;
  }

  get isDue(): boolean {
    return this.#isDue;
  }

  /** Something came too early: that which is missing may be another one. */
  noticed(): void {
    this.#waitMs = GRACE_MS;
  }

  /** It is still there after the wait. True the first time. */
  confirm(): boolean {
    const isNew = !this.#isCounted;
    this.#isCounted = true;
    this.#isDue = true;
    return isNew;
  }

  /** chat-service was asked and has nothing of it. False when it said so often enough: what is missing does not exist. */
  unfilled(): boolean {
    this.#isDue = false;
    this.#waitMs *= 2;
    return this.#waitMs <= LONGEST_MS;
  }

  close(): void {
    this.#waitMs = GRACE_MS;
    this.#isCounted = false;
    this.#isDue = false;
  }
}

/** Asks for what is missing if it is still missing a little later; one timer, however much is missing. */
export class GapTimer {
  readonly #clock: Clock;
  readonly #ask: () => void;
  readonly #graceMs: number;
  #timer: Timer | null = null;
  #dueAt = 0;

  constructor(clock: Clock, ask: () => void, graceMs = GRACE_MS) {
    this.#clock = clock;
    this.#ask = ask;
    this.#graceMs = graceMs;
  }

  /** What is due sooner is asked for sooner. */
  start(ms = this.#graceMs): void {
    const dueAt = this.#clock.now() + ms;
    if (this.#timer !== null && this.#dueAt <= dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = null;
      this.#ask();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
