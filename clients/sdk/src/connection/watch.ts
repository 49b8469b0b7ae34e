import type { TransportName } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';
import { createAlarm } from '../core/alarm.ts';
import type { Line } from '../transport/transport.ts';

const READY_MS = 10_000;
const SILENCE_MS = 25_000;
const ANSWER_MS = 5_000;
/** The server sends a comment every 15 s; two of them missing is a dead stream. */
const SSE_SILENCE_MS = 35_000;
const LATE_MS = 5_000;

export interface Watch {
  /** The line is ready: from now on silence is doubt. */
  readonly start: () => void;
  readonly stop: () => void;
  readonly heard: () => void;
  /** Doubt: ask now. A stream that cannot be asked and was silent is replaced instead. */
  readonly check: (replace: () => void) => void;
}

/**
 * Whether a connection still lives: ready within 10 s, then 25 s of silence → `ping` → 5 s. Counted by the clock, not by
 * ticks: a timer that fires late means that the device slept, and then the other side deserves the question before the verdict.
 */
export function createWatch(
  environment: Environment,
  transport: TransportName,
  line: Line,
  dead: (code: number) => void,
): Watch {
  const { now } = environment;
  const pings = transport === 'websocket';
  const alarm = createAlarm(environment);
  let heardAt = now();
  let asked = false;

  const arm = (ms: number): void => {
    const due = now() + ms;
    alarm.set(ms, () => tick(now() - due > LATE_MS));
  };
  const ask = (): void => {
    asked = true;
    line.send({ type: 'ping' });
    arm(ANSWER_MS);
  };
  const tick = (late: boolean): void => {
    const rest = heardAt + (pings ? SILENCE_MS : SSE_SILENCE_MS) - now();
    if (asked && !late) dead(4408);
    else if (rest > 0) arm(rest);
    else if (pings) ask();
    else dead(4408);
  };
  alarm.set(READY_MS, () => dead(1006));
  return {
    start() {
      alarm.clear();
      // Poll and REST have a time limit on each request.
      if (pings || transport === 'sse') arm(SILENCE_MS);
    },
    stop: alarm.clear,
    heard() {
      heardAt = now();
      if (!asked) return;
      asked = false;
      arm(SILENCE_MS);
    },
    check(replace) {
      if (pings) ask();
      else if (transport === 'sse' && now() - heardAt > SILENCE_MS) replace();
    },
  };
}
