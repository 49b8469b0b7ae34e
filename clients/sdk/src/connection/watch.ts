import type { TransportName } from '../api/connection.ts';
import type { Environment, Timer } from '../api/environment.ts';
import type { Line } from '../transport/transport.ts';

const SILENCE_MS = 25_000;
const ANSWER_MS = 5_000;
/** The server sends a comment every 15 s; two of them missing is a dead stream. */
const SSE_SILENCE_MS = 35_000;
const LATE_MS = 5_000;

export interface Watch {
  readonly start: () => void;
  readonly stop: () => void;
  readonly heard: () => void;
  /** Doubt: ask now. A stream that cannot be asked and was silent is replaced instead. */
  readonly check: (replace: () => void) => void;
}

/**
 * Whether a connection still lives: 25 s of silence → `ping` → 5 s. Counted by the clock, not by ticks: a timer that
 * fires late means that the device slept, and then the other side deserves the question before the verdict.
 */
export function createWatch(
  { now, setTimer, clearTimer }: Environment,
  transport: TransportName,
  line: Line,
  dead: () => void,
): Watch {
  const pings = transport === 'websocket';
  let heardAt = now();
  let askedAt: number | null = null;
  let timer: Timer = null;

  const arm = (ms: number): void => {
    clearTimer(timer);
    const due = now() + ms;
    timer = setTimer(() => tick(now() - due > LATE_MS), ms);
  };
  const ask = (): void => {
    askedAt = now();
    line.send({ type: 'ping' });
    arm(ANSWER_MS);
  };
  const tick = (late: boolean): void => {
    const silence = now() - heardAt;
    if (!pings) {
      if (silence >= SSE_SILENCE_MS) dead();
      else arm(SSE_SILENCE_MS - silence);
    } else if (askedAt !== null && !late) dead();
    else if (silence >= SILENCE_MS) ask();
    else arm(SILENCE_MS - silence);
  };
  return {
    start() {
      // Poll and REST have a time limit on each request.
      if (pings || transport === 'sse') arm(SILENCE_MS);
    },
    stop: () => clearTimer(timer),
    heard() {
      heardAt = now();
      if (askedAt === null) return;
      askedAt = null;
      arm(SILENCE_MS);
    },
    check(replace) {
      if (pings) ask();
      else if (transport === 'sse' && now() - heardAt > SILENCE_MS) replace();
    },
  };
}
