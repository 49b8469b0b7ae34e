import { createStore } from './store.ts';

/** One second hand for all timers on the page, at the server's seconds so that they turn together. */
export function createClock() {
  const store = createStore({ now: Date.now() });
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') store.set({ now: Date.now() });
  }, 1_000);
  document.addEventListener('visibilitychange', () => store.set({ now: Date.now() }));
  return { ...store, stop: () => clearInterval(timer) };
}
export type Clock = ReturnType<typeof createClock>;
