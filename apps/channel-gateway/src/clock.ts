export interface Timer {
  cancel(): void;
}

/** A point in time at which the gateway checks what is due. */
export interface Tick {
  /** Of the monotonic clock. */
  readonly now: number;
  /** Unix milliseconds, only for the expiry of tokens: setting the clock must change no interval. */
  readonly wall: number;
  /** The process was paused before this moment. */
  readonly paused: boolean;
}

/** The gateway's only source of time, so that a test or a simulation can control it. */
export interface Clock {
  /** Milliseconds of a monotonic clock. Only differences have a meaning: for intervals and deadlines. */
  now(): number;
  /** Unix milliseconds: for the expiry of tokens and for times that other machines wrote or will read. */
  wall(): number;
  /** Runs once, `ms` milliseconds from now. */
  after(ms: number, run: () => void): Timer;
  /** Runs once, after everything that is due in this turn of the event loop. */
  endOfTurn(run: () => void): void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
  endOfTurn: (run) => void setImmediate(run),
};

export const LATE = Symbol('late');

/** The result of `work`, or `LATE` if that takes longer than `ms`. The work itself continues. */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | typeof LATE> {
  let timer: Timer | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = clock.after(ms, () => resolve(LATE));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer?.cancel();
  }
}

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
