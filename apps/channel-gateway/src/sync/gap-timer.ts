import type { Clock, Timer } from '../clock.ts';

/** A frame that another has overtaken usually comes within this time. */
const GRACE_MS = 50;

/** Asks for what is missing if it is still missing a little later; one timer, however much is missing. */
export class GapTimer {
  readonly #clock: Clock;
  readonly #ask: () => void;
  readonly #graceMs: number;
  #timer: Timer | null = null;

  constructor(clock: Clock, ask: () => void, graceMs = GRACE_MS) {
    this.#clock = clock;
    this.#ask = ask;
    this.#graceMs = graceMs;
  }

  start(): void {
    this.#timer ??= this.#clock.after(this.#graceMs, () => {
      this.#timer = null;
      this.#ask();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
