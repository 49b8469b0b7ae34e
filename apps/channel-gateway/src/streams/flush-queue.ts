import type { Clock } from '../clock.ts';
import type { Failpoint } from '../ports.ts';
import type { Audience } from './audience.ts';

/** Audiences with something pending: all of them are flushed once, at the end of the turn of the loop. */
export class FlushQueue {
  #dirty: Audience[] = [];
  #scheduled = false;
  readonly #clock: Clock;
  readonly #failpoint: Failpoint;

  constructor(clock: Clock, failpoint: Failpoint) {
    this.#clock = clock;
    this.#failpoint = failpoint;
  }

  schedule(audience: Audience): void {
    this.#dirty.push(audience);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.endOfTurn(this.#endOfTurn);
  }

  readonly #endOfTurn = (): void => {
    const pause = this.#failpoint('gw.beforeFlushBuffer');
    if (pause === undefined) this.#flush();
    else void pause.then(() => this.#flush());
  };

  #flush(): void {
    this.#scheduled = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const audience of dirty) audience.flush();
    void this.#failpoint('gw.afterSocketWrite');
  }
}
