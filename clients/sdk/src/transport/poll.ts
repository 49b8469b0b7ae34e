import type { Environment } from '../api/environment.ts';
import { call } from '../core/http.ts';
import { asError } from '../errors.ts';
import { closeCodeOf, resetReasonOf } from './http-close.ts';
import type { OpenTransport, TransportHandlers, TransportPort, TransportOpener, PollPage } from '../api/transport.ts';

const WAIT_SECONDS = 25;
const REST_INTERVAL_MS = 5_000;
const MIN_INTERVAL_MS = 1_000;

type ReadPage = (cursor: number | string | null, first: boolean, signal: AbortSignal) => Promise<PollPage>;

/** A loop of requests as a transport: its first answer stands for `channel.ready`. */
function openLoop(
  environment: Environment,
  port: TransportPort,
  handlers: TransportHandlers,
  pauseMs: number,
  read: ReadPage,
): OpenTransport {
  const ending = new AbortController();
  const { signal } = ending;
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = environment.setTimer(resolve, ms);
      signal.addEventListener('abort', () => environment.clearTimer(timer));
    });
  const run = async (): Promise<void> => {
    let first = true;
    while (!signal.aborted) {
      const cursor = port.cursor();
      const began = environment.now();
      const page = await read(cursor, first, signal);
      if (signal.aborted) return;
      if (first)
        handlers.frame({ type: 'channel.ready', data: { from_seq: cursor ?? page.last_seq, cursor: page.cursor } });
      handlers.alive();
      for (const event of page.events) handlers.frame(event);
      // The cursor is reported after its events: until then they would be requested again.
      if (page.cursor !== undefined) handlers.frame({ type: 'channel.cursor', cursor: page.cursor });
      // An answer at once that brought nothing further, over and over, would be a loop without end.
      const idle = port.cursor() === cursor && !first && environment.now() - began < MIN_INTERVAL_MS;
      const rest = page.has_more ? 0 : pauseMs;
      if (rest > 0 || idle) await pause(Math.max(rest, MIN_INTERVAL_MS));
      first = false;
    }
  };
  run().catch((error: unknown) => {
    if (signal.aborted) return;
    const reason = resetReasonOf(error);
    if (reason) handlers.frame({ type: 'channel.reset', data: { reason } });
    handlers.closed(closeCodeOf(error), asError(error).retryAfterMs);
  });
  return { send: () => false, close: () => ending.abort() };
}

/** The first request does not wait, so that the state is known at once; the others wait for news. */
export const openPoll: TransportOpener = (environment, port, _replaces, handlers) =>
  openLoop(environment, port, handlers, 0, (cursor, first, signal) => {
    const { target } = port;
    const wait = first ? 0 : WAIT_SECONDS;
    const query = { ...target.query(), [target.cursorName]: cursor, wait };
    const options = { token: port.token(), query, signal, timeoutMs: (wait + 10) * 1_000 };
    return call<PollPage>(environment, 'GET', `${target.base}/channel/poll`, options);
  });

/** Plain REST: the last resort if the gateway is full or cannot be reached. */
export const openRest: TransportOpener = (environment, port, _replaces, handlers) => {
  const { restIntervalMs = REST_INTERVAL_MS, restPoll } = port.target;
  return openLoop(environment, port, handlers, restIntervalMs, (cursor, _first, signal) => restPoll(cursor, signal));
};
