import type { Clock, Tick, Timer } from '../clock.ts';
import type { CoreLogger } from '../ports.ts';

const TICK_MS = 200;
const SLOW_TICK_MS = 1_000;
/** A timer this late means that the process was paused. */
const PAUSE_MS = 2_000;
/** How late the event loop may be before new connections are refused. */
export const OVERLOAD_LAG_MS = 1_000;
/**
 * How long a lag counts after it was seen. It is short, since after the crash of another gateway its clients all come
 * here at once, and a refused client comes again anyway.
 */
const OVERLOAD_MEMORY_MS = 1_000;

export interface TickerOptions {
  readonly clock: Clock;
  readonly logger: CoreLogger;
  readonly overloadLagMs: number;
  /**
   * Somebody is connected. Without connections a lag was not load: a process that has just started must accept clients.
   */
  readonly isBusy: () => boolean;
  /** Five times a second. */
  readonly each: (tick: Tick) => void;
  /** Once a second, after `each`. */
  readonly slow: (tick: Tick) => void;
}

/** The gateway's one periodic timer. It also notices when the process was paused. */
export class Ticker {
  readonly #options: TickerOptions;
  #timer: Timer | null = null;
  #lastAt: number;
  /** Somebody was connected at the last tick. Later connections are not the cause of a lag that began before them. */
  #wasBusy = false;
  #lagSeenAt = Number.NEGATIVE_INFINITY;
  #nextSlowAt = 0;

  constructor(options: TickerOptions) {
    this.#options = options;
    this.#lastAt = options.clock.now();
  }

  start(): void {
    this.#lastAt = this.#options.clock.now();
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Too busy to accept new connections. */
  get overloaded(): boolean {
    const now = this.#options.clock.now();
    const isLate = this.#wasBusy && now - this.#lastAt - TICK_MS > this.#options.overloadLagMs;
    return isLate || now - this.#lagSeenAt < OVERLOAD_MEMORY_MS;
  }

  #arm(): void {
    this.#timer = this.#options.clock.after(TICK_MS, () => {
      this.#arm();
      this.#tick();
    });
  }

  #tick(): void {
    const { clock, logger, overloadLagMs, isBusy, each, slow } = this.#options;
    const now = clock.now();
    const late = now - this.#lastAt - TICK_MS;
    this.#lastAt = now;
    if (late > overloadLagMs && this.#wasBusy) {
      this.#lagSeenAt = now;
      logger.warn({ late_ms: late }, 'the event loop was blocked: new connections are refused for a moment');
    }
    this.#wasBusy = isBusy();
    const tick = { now, wall: clock.wall(), paused: late > PAUSE_MS };
    each(tick);
    if (now < this.#nextSlowAt) return;
    this.#nextSlowAt = now + SLOW_TICK_MS;
    slow(tick);
  }
}
