import type { Environment } from '../api/environment.ts';
import { createCountdown } from './countdown.ts';

const INTERVAL_MS = 1_000;

export interface RisingMark {
  /** Raises the value to report. */
  readonly raise: (value: number) => void;
  /** Tells it now if it could not be told before; `known` is what the other side said it has. */
  readonly kick: (known?: number) => void;
  readonly stop: () => void;
}

/** A monotonic mark, reported at most once a second with its latest value: read marks and delivery acks. */
export function createRisingMark(environment: Environment, send: (value: number) => Promise<unknown>): RisingMark {
  const countdown = createCountdown(environment);
  let wanted = 0;
  let told = 0;
  let toldAt = -INTERVAL_MS;
  let sending = false;

  const run = async (): Promise<void> => {
    const value = wanted;
    sending = true;
    toldAt = environment.now();
    try {
      await send(value);
      told = Math.max(told, value);
      sending = false;
      schedule();
    } catch {
      // What failed waits for the next rise or kick; only what rose meanwhile goes on.
      sending = false;
    }
  };
  const schedule = (): void => {
    if (countdown.pending() || sending || wanted <= told) return;
    countdown.set(Math.max(0, toldAt + INTERVAL_MS - environment.now()), () => void run());
  };
  return {
    raise(value) {
      if (value <= wanted) return;
      wanted = value;
      schedule();
    },
    kick(known = told) {
      told = Math.min(told, known);
      schedule();
    },
    stop() {
      countdown.clear();
      wanted = told = 0;
    },
  };
}
