import { setTimeout as sleep } from 'node:timers/promises';

export { sleep };

export interface UntilOptions {
  timeoutMs?: number;
  everyMs?: number;
  /** Named in the error, so that a failed wait says what never came true. */
  what?: string;
}

/** Repeats `probe` until it answers something other than false, null or undefined; a throwing probe counts as "not yet". */
export async function until<T>(
  probe: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  options: UntilOptions = {},
): Promise<T> {
  const { timeoutMs = 30_000, everyMs = 25, what = 'the condition' } = options;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== false && value !== null && value !== undefined) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`${what} did not come true within ${timeoutMs} ms`, { cause: lastError });
    }
    await sleep(everyMs);
  }
}
