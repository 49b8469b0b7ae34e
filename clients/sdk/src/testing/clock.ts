import { VirtualClock as GatewayTime } from '@chat-realtime/channel-gateway/testing';

/** Lets everything run that only waits for promises, streams included. */
export function settle(): Promise<void> {
  const { setImmediate: immediate } = globalThis as { setImmediate?: (run: () => void) => void };
  return new Promise((resolve) => (immediate ? immediate(resolve) : setTimeout(resolve)));
}

export interface VirtualClock {
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly setTimer: (callback: () => void, ms: number) => unknown;
  readonly clearTimer: (timer: unknown) => void;
  /** Advances the clock, running due work in order, and what follows from it. */
  readonly advance: (ms: number) => Promise<void>;
}

/** A clock of the gateway's own kind. */
interface Time {
  readonly wall: () => number;
  readonly after: (ms: number, run: () => void) => unknown;
  readonly advance: (ms: number) => Promise<void>;
}

/** The clock of a gateway in memory as clients see it: one time for everybody. */
export function clockOf(time: Time): VirtualClock {
  return {
    now: () => time.wall(),
    setTimer: (run, ms) => time.after(ms, run),
    clearTimer: (timer) => (timer as { cancel?: () => void } | undefined)?.cancel?.(),
    advance: (ms) => time.advance(ms),
  };
}

export function createClock(start?: number): VirtualClock {
  return clockOf(new GatewayTime(start));
}
