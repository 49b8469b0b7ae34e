import type { Environment } from '../api/environment.ts';
import { createCountdown } from './countdown.ts';

const INTERVAL_MS = 1_000;

export interface RisingMark {
  /** Raises the value to report. */
  readonly raise: (value: number) => void;
  /** Reports it now if that failed before; `known` is the mark that the other side has. */
  readonly kick: (known?: number) => void;
  readonly stop: () => void;
}

/** A monotonic mark, reported at most once a second with its latest value: read marks and delivery acks. */
export function createRisingMark(environment: Environment, send: (value: number) => Promise<unknown>): RisingMark {
  const countdown = createCountdown(environment);
  let wanted = 0;
  let reported = 0;
  let toldAt = -INTERVAL_MS;
  let sending = false;
  /** It rose or was kicked during the report that is under way. */
  let again = false;

  const run = async (): Promise<void> => {
    const value = wanted;
    sending = true;
    toldAt = environment.now();
    try {
      await send(value);
      reported = Math.max(reported, value);
    } catch {
      // A failed report waits for a rise or a kick, so that a failing server is not called forever.
    }
    sending = false;
    if (again) schedule();
  };
  const schedule = (): void => {
    again = sending;
    if (countdown.pending() || sending || wanted <= reported) return;
    countdown.set(Math.max(0, toldAt + INTERVAL_MS - environment.now()), () => void run());
  };
  return {
    raise(value) {
      if (value <= wanted) return;
      wanted = value;
      schedule();
    },
    kick(known = reported) {
      reported = Math.min(reported, known);
      schedule();
    },
    stop() {
      countdown.clear();
      wanted = reported = 0;
    },
  };
}
