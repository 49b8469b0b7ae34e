export interface Timer {
  cancel(): void;
}

/** A point in time at which the gateway checks what is due. */
export interface Tick {
  /** Of the monotonic clock. */
  readonly now: number;
  /** Unix milliseconds, for the expiry of tokens alone: a clock that is set must move no interval. */
  readonly wall: number;
  /** The process was paused before it. */
  readonly paused: boolean;
}

/** The gateway's only source of time, so that a test or a simulation can control it. */
export interface Clock {
  /** Milliseconds of a clock that nobody sets. Only differences mean something: for intervals and deadlines. */
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

/** What `work` resolves to, or `LATE` when that takes longer than `ms`. The work itself goes on. */
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
