import { intervalNow } from '@chat-realtime/client/staff';
import { createStore } from '../store.ts';

export interface Times {
  /** For times shown beside a date of the server. */
  readonly now: number;
  /** For intervals: nobody sets it. */
  readonly steady: number;
}

/** One second hand for all timers on the page, at the server's seconds so that they turn together. */
export function createClock() {
  const read = (): Times => ({ now: Date.now(), steady: intervalNow() });
  const store = createStore(read());
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') store.set(read());
  }, 1_000);
  document.addEventListener('visibilitychange', () => store.set(read()));
  return { ...store, stop: () => clearInterval(timer) };
}
export type Clock = ReturnType<typeof createClock>;
