import type { Clock, Timer } from '../clock.ts';

/** A frame that another has overtaken usually comes within this time. */
const GRACE_MS = 50;

/** Asks for what is missing if it is still missing a little later; one timer, however many holes there are. */
export class GapTimer {
  readonly #clock: Clock;
  readonly #ask: () => void;
  #timer: Timer | null = null;

  constructor(clock: Clock, ask: () => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  start(): void {
    this.#timer ??= this.#clock.after(GRACE_MS, () => {
      this.#timer = null;
      this.#ask();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
