/** Wakes waiting loops. Take `next` before checking, and no call between the check and the wait is lost. */
export class Signal {
  #resolve: () => void = () => undefined;
  #promise: Promise<void> = this.#renew();

  next(): Promise<void> {
    return this.#promise;
  }

  notify(): void {
    this.#resolve();
    this.#promise = this.#renew();
  }

  #renew(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}
