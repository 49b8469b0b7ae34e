import type { Environment, Timer } from '../api/environment.ts';

/** A timer that can be restarted or cleared; there is never a second one. */
export interface Countdown {
  readonly set: (ms: number, run: () => void) => void;
  readonly clear: () => void;
  readonly pending: () => boolean;
}

export function createCountdown({ setTimer, clearTimer }: Pick<Environment, 'setTimer' | 'clearTimer'>): Countdown {
  let timer: Timer = null;
  const clear = (): void => {
    clearTimer(timer);
    timer = null;
  };
  return {
    set(ms, run) {
      clear();
      timer = setTimer(() => {
        timer = null;
        run();
      }, ms);
    },
    clear,
    pending: () => timer !== null,
  };
}
