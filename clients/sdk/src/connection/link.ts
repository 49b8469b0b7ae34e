import type { TransportName } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';
import { createCountdown } from '../core/countdown.ts';
import { TRANSPORTS } from '../transport/all.ts';
import type { OpenTransport, TransportHandlers, TransportPort } from '../api/transport.ts';

const READY_MS = 10_000;
const SILENCE_MS = 25_000;
const ANSWER_MS = 5_000;
/** The server sends a comment every 15 s; two of them missing is a dead stream. */
const SSE_SILENCE_MS = 35_000;
const LATE_MS = 5_000;

/** An open transport and its heartbeat. */
export interface Link extends OpenTransport {
  /** The transport is ready: from now on silence is suspicious. */
  readonly ready: () => void;
  /** Doubt: ask now. A stream that cannot be asked and was silent is replaced instead. */
  readonly check: (replace: () => void) => void;
}

/**
 * Whether a connection is alive: ready within 10 s, then 25 s of silence → `ping` → 5 s. Counted by the clock, not by
 * ticks: a timer that fires late means that the device slept, and then the server is pinged before the link counts as
 * dead.
 */
export function openLink(
  environment: Environment,
  port: TransportPort,
  transport: TransportName,
  replaces: string | null,
  { frame, closed }: Omit<TransportHandlers, 'alive'>,
): Link {
  const { now } = environment;
  const pings = transport === 'websocket';
  const countdown = createCountdown(environment);
  let receivedAt = now();
  let asked = false;
  let over = false;

  const received = (): void => {
    receivedAt = now();
    if (!asked) return;
    asked = false;
    arm(SILENCE_MS);
  };
  const opened = (port.lines ?? TRANSPORTS)[transport](environment, port, replaces, {
    frame(one) {
      if (over) return;
      received();
      frame(one);
    },
    alive: received,
    closed: (code, retryAfterMs) => end(code, retryAfterMs),
  });
  const close = (): void => {
    over = true;
    countdown.clear();
    opened.close();
  };
  const end: TransportHandlers['closed'] = (code, retryAfterMs) => {
    if (over) return;
    close();
    closed(code, retryAfterMs);
  };
  const arm = (ms: number): void => {
    const due = now() + ms;
    countdown.set(ms, () => tick(now() - due > LATE_MS));
  };
  const ask = (): void => {
    asked = true;
    opened.send({ type: 'ping' });
    arm(ANSWER_MS);
  };
  const tick = (late: boolean): void => {
    const rest = receivedAt + (pings ? SILENCE_MS : SSE_SILENCE_MS) - now();
    if (asked && !late) end(4408);
    else if (rest > 0) arm(rest);
    else if (pings) ask();
    else end(4408);
  };
  countdown.set(READY_MS, () => end(1006));
  return {
    send: opened.send,
    close,
    ready() {
      countdown.clear();
      // Poll and REST have a time limit on each request.
      if (pings || transport === 'sse') arm(SILENCE_MS);
    },
    check(replace) {
      if (pings) ask();
      else if (transport === 'sse' && now() - receivedAt > SILENCE_MS) replace();
    },
  };
}
