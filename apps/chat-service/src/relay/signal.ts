/** Wakes a sleeping loop. A signal that arrives while the loop works is kept, and several count as one. */
export class Signal {
  #pending = false;
  #wake: (() => void) | undefined;

  set(): void {
    this.#pending = true;
    this.#wake?.();
  }

  /** Waits until `set` or for `ms`. */
  async wait(ms: number): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#pending = false;
  }
}
