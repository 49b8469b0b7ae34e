/** Consecutive failures that open the circuit. */
const FAILURES = 5;
const OPEN_MIN_MS = 500;
/** Short enough that events missed in the meantime are still shown within their 15 s. */
const OPEN_MAX_MS = 5_000;

export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  readonly code = 'circuit_open';

  constructor(call: string, ms: number) {
    super(`${call} failed repeatedly: next attempt in ${Math.ceil(ms)} ms`);
  }
}

/**
 * Circuit breaker: stops calling a failing service for a while, then probes it with a single call. Each kind of call
 * has its own circuit, so that failures of one do not block another.
 */
export class Circuit {
  readonly #call: string;
  readonly #changed: (open: boolean) => void;
  #failures = 0;
  #openMs = 0;
  /** On the monotonic clock; 0 while it is closed. */
  #opensAgainAt = 0;
  #probing = false;

  constructor(call: string, changed: (open: boolean) => void = () => undefined) {
    this.#call = call;
    this.#changed = changed;
  }

  get open(): boolean {
    return this.#openMs > 0;
  }

  /** @throws CircuitOpenError without having called. */
  async run<T>(work: () => Promise<T>, now: () => number = () => performance.now()): Promise<T> {
    if (this.open) {
      const wait = this.#opensAgainAt - now();
      if (wait > 0 || this.#probing) throw new CircuitOpenError(this.#call, Math.max(0, wait));
      this.#probing = true;
    }
    try {
      const result = await work();
      this.#succeeded();
      return result;
    } catch (error) {
      this.#failed(now());
      throw error;
    } finally {
      this.#probing = false;
    }
  }

  #succeeded(): void {
    this.#failures = 0;
    if (!this.open) return;
    this.#openMs = 0;
    this.#changed(false);
  }

  #failed(now: number): void {
    this.#failures += 1;
    if (this.#failures < FAILURES) return;
    const wasOpen = this.open;
    this.#openMs = Math.min(OPEN_MAX_MS, Math.max(OPEN_MIN_MS, this.#openMs * 2));
    this.#opensAgainAt = now + this.#openMs * (0.75 + Math.random() / 4);
    if (!wasOpen) this.#changed(true);
  }
}
