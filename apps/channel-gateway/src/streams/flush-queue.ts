import type { Clock } from '../clock.ts';
import type { Audience } from './audience.ts';

/** Audiences with something pending: all of them are flushed once, at the end of the turn of the loop. */
export class FlushQueue {
  #dirty: Audience[] = [];
  #scheduled = false;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  schedule(audience: Audience): void {
    this.#dirty.push(audience);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.endOfTurn(this.#endOfTurn);
  }

  readonly #endOfTurn = (): void => {
    this.#scheduled = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const audience of dirty) audience.flush();
  };
}
