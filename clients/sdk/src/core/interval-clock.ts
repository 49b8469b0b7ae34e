/** A set clock and a fast one differ by more than this only when the device slept or somebody set the clock. */
const SLEPT_MS = 1_000;

interface Clocks {
  /** Nobody sets it, but it stands still while some devices sleep. */
  readonly steady: () => number;
  /** Goes on during sleep, but may be set, forwards and back. */
  readonly wall: () => number;
}

/**
 * Milliseconds that never go back, for intervals. Sleep is counted where only the wall clock has noticed it. A wall clock
 * that was set forward looks like sleep, which costs an early check; one that was set back counts for nothing.
 */
export function createIntervalClock({ steady, wall }: Clocks): () => number {
  let apart = wall() - steady();
  let slept = 0;
  return () => {
    const now = steady();
    const gone = wall() - now - apart;
    if (Math.abs(gone) > SLEPT_MS) {
      apart += gone;
      slept += Math.max(0, gone);
    }
    return now + slept;
  };
}

/** One for the page, so that times of different parts can be compared. */
export const intervalNow = createIntervalClock({
  steady: () => performance.now(),
  wall: () => Date.now(),
});
