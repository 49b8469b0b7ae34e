import type { Environment, Timer } from '../api/environment.ts';

const INTERVAL_MS = 1_000;

export interface Ratchet {
  /** At least this is to be told. */
  readonly raise: (value: number) => void;
  /** Tells it now if it could not be told before; `known` is what the other side said it has. */
  readonly kick: (known?: number) => void;
  readonly stop: () => void;
}

/** A mark that only rises, told at most once a second with its latest value: read marks and delivery acks. */
export function createRatchet(environment: Environment, send: (value: number) => Promise<unknown>): Ratchet {
  let wanted = 0;
  let told = 0;
  let toldAt = -INTERVAL_MS;
  let timer: Timer = null;
  let sending = false;

  const run = async (): Promise<void> => {
    timer = null;
    if (sending || wanted <= told) return;
    const value = wanted;
    sending = true;
    toldAt = environment.now();
    const reached = await send(value).then(
      () => true,
      () => false,
    );
    sending = false;
    // What failed waits for the next rise or kick; only what rose meanwhile goes on.
    if (!reached) return;
    told = Math.max(told, value);
    schedule();
  };
  const schedule = (): void => {
    if (timer !== null || sending || wanted <= told) return;
    timer = environment.setTimer(() => void run(), Math.max(0, toldAt + INTERVAL_MS - environment.now()));
  };
  return {
    raise(value) {
      if (value <= wanted) return;
      wanted = value;
      schedule();
    },
    kick(known) {
      if (known !== undefined) told = Math.min(told, known);
      schedule();
    },
    stop() {
      environment.clearTimer(timer);
      timer = null;
      wanted = told = 0;
    },
  };
}
