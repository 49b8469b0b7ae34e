import type { DegradedReason } from '@chat-realtime/protocol';

/** A tick is due every second; without one for this long the live path may be losing events. */
const TICK_SILENCE_MS = 3_000;
/** How long chat-service may be unavailable before clients are notified. */
const SOURCE_SILENCE_MS = 3_000;

/** Whether events arrive at once, or only as fast as head checks find them. */
export class LivePath {
  readonly #ticks: boolean;
  #lastTickAt: number;
  #fanoutConnected = true;
  /** According to the last tick: nobody reads what the site writes. */
  #sourceLost = false;
  #reason: DegradedReason | null = null;

  /** `ticks`: false if nobody sends them; then losses are known only from the head check. */
  constructor(now: number, ticks: boolean) {
    this.#lastTickAt = now;
    this.#ticks = ticks;
  }

  get reason(): DegradedReason | null {
    return this.#reason;
  }

  /** Whether head checks must run more often. They need not while chat-service itself is unavailable. */
  get impaired(): boolean {
    return this.#reason === 'live_path_silent' || this.#reason === 'fanout_disconnected';
  }

  ticked(now: number, sourceLost = false): void {
    this.#lastTickAt = now;
    this.#sourceLost = sourceLost;
  }

  fanoutConnected(connected: boolean): void {
    this.#fanoutConnected = connected;
  }

  /** The process was paused: silence during the pause proves nothing. */
  woke(now: number): void {
    this.#lastTickAt = Math.max(this.#lastTickAt, now - 1_000);
  }

  /** True when the reason has changed. */
  refresh(now: number, sourceFailingSince: number): boolean {
    let reason: DegradedReason | null = null;
    if (!this.#fanoutConnected) reason = 'fanout_disconnected';
    else if (this.#ticks && now - this.#lastTickAt > TICK_SILENCE_MS) reason = 'live_path_silent';
    else if (this.#sourceLost) reason = 'source_unavailable';
    else if (sourceFailingSince > 0 && now - sourceFailingSince > SOURCE_SILENCE_MS) reason = 'source_unavailable';
    if (reason === this.#reason) return false;
    this.#reason = reason;
    return true;
  }
}
