import type { Audience } from './audience.ts';

type Failpoint = (name: string) => void | Promise<void>;

/** Audiences with something pending: all of them are flushed once, at the end of the turn of the loop. */
export class FlushQueue {
  #dirty: Audience[] = [];
  #scheduled = false;
  readonly #failpoint: Failpoint;

  constructor(failpoint: Failpoint) {
    this.#failpoint = failpoint;
  }

  schedule(audience: Audience): void {
    this.#dirty.push(audience);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#endOfTurn);
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
