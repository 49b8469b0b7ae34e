import type { Logger } from './logger.ts';

export type ShutdownStep = () => Promise<void> | void;

export interface ShutdownOptions {
  readonly logger: Logger;
  /** After this time the process ends whatever still hangs. */
  readonly deadlineMs?: number;
  /** Ends the process; a test gives its own. */
  readonly exit?: (code: number) => void;
}

const DEFAULT_DEADLINE_MS = 25_000;
/** One Ctrl+C comes twice: the terminal sends it to every process, and npm and our commands pass it on to their child. */
const SAME_ORDER_MS = 1_000;

/** Ends a service step by step, lowest order first; steps of one order run side by side. */
export class Shutdown {
  readonly #steps = new Map<number, ShutdownStep[]>();
  readonly #logger: Logger;
  readonly #deadlineMs: number;
  readonly #exit: (code: number) => void;
  #running: Promise<void> | undefined;
  #orderedAt = Number.NEGATIVE_INFINITY;

  constructor({ logger, deadlineMs = DEFAULT_DEADLINE_MS, exit = (code) => process.exit(code) }: ShutdownOptions) {
    this.#logger = logger;
    this.#deadlineMs = deadlineMs;
    this.#exit = exit;
  }

  onSignal(order: number, step: ShutdownStep): void {
    const steps = this.#steps.get(order);
    if (steps === undefined) this.#steps.set(order, [step]);
    else steps.push(step);
  }

  /** Begins on SIGTERM and SIGINT; another signal more than a second later ends the process at once. */
  listen(signals: NodeJS.EventEmitter = process): void {
    const begin = (signal: NodeJS.Signals): void => {
      if (performance.now() - this.#orderedAt < SAME_ORDER_MS) return;
      if (this.#running !== undefined) {
        this.#logger.warn({ signal }, 'second signal: ending at once');
        this.#exit(1);
        return;
      }
      this.#orderedAt = performance.now();
      this.#logger.info({ signal }, 'shutting down');
      const deadline = setTimeout(() => {
        this.#logger.error({ deadline_ms: this.#deadlineMs }, 'shutdown took too long');
        this.#exit(1);
      }, this.#deadlineMs);
      deadline.unref();
      void this.run().then(
        () => this.#exit(0),
        () => this.#exit(1),
      );
    };
    signals.on('SIGTERM', begin);
    signals.on('SIGINT', begin);
  }

  /** Runs all steps once, however often it is called. A step that fails is logged and does not stop the next. */
  run(): Promise<void> {
    this.#running ??= this.#runSteps();
    return this.#running;
  }

  async #runSteps(): Promise<void> {
    const orders = [...this.#steps].sort(([a], [b]) => a - b);
    for (const [order, steps] of orders) {
      const results = await Promise.allSettled(steps.map(async (step) => step()));
      for (const result of results) {
        if (result.status === 'rejected') {
          this.#logger.error({ err: toError(result.reason), order }, 'a shutdown step failed');
        }
      }
    }
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
