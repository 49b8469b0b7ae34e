import type { ConnectionState, TransportName } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';
import type { ClientFrame } from '../api/protocol.ts';
import { createAlarm } from '../core/alarm.ts';
import { awayMs, backoffMs, countedByServer } from '../core/backoff.ts';
import { asError } from '../errors.ts';
import { TRANSPORTS } from '../transport/all.ts';
import { closeCodeOf } from '../transport/http-close.ts';
import type { Frame, Line, LinePort, ReadyData } from '../transport/transport.ts';
import { closePolicy, stopReason } from './close-policy.ts';
import type { Rungs } from './rungs.ts';
import { createWatch, type Watch } from './watch.ts';

const SHORT_LIFE_MS = 10_000;
const HEALTHY_MS = 30_000;
const LIMITED_PROBE_MS = 60_000;
const RATE_LIMITED_MS = 10_000;
const RENEW_AGAIN_MS = 10_000;
/** Refused, cut off, or no word in time: nobody is known to be there. */
const UNANSWERED = [1006, 4408];

/** What a connection needs of its owner, and tells it. */
export interface ConnectionPort extends LinePort {
  /** Before each attempt: a token that will live, and a cursor. Rejects with ChatClientError. */
  readonly prepare: () => Promise<void>;
  /** When the token should be renewed, by the device's clock; null: not known. */
  readonly renewAt: () => number | null;
  readonly renew: () => Promise<void>;
  /** The server refused the token: `prepare` must get another. */
  readonly expire: () => void;
  readonly ready: (data: ReadyData, transport: TransportName) => void;
  readonly frame: (frame: Frame) => void;
  readonly state: (state: ConnectionState) => void;
}

export interface Connection {
  readonly state: ConnectionState;
  readonly connect: () => void;
  readonly disconnect: () => void;
  /** The network is back, or the page is looked at: no waiting. */
  readonly wake: (networkChanged: boolean) => void;
  /** The page is put away; `wake` ends it. */
  readonly suspend: () => void;
  /** False: nothing can go up now. */
  readonly send: (frame: ClientFrame) => boolean;
}

/** A line with what is known of it; `main` carries the connection, `spare` is a better or newer one being opened beside it. */
interface Live {
  readonly transport: TransportName;
  readonly openedAt: number;
  readonly line: Line;
  readonly watch: Watch;
  ready: boolean;
}

export function createConnection(environment: Environment, rungs: Rungs, port: ConnectionPort): Connection {
  const { now } = environment;
  const retry = createAlarm(environment);
  const probe = createAlarm(environment);
  const renewal = createAlarm(environment);
  const goodbye = createAlarm(environment);
  let state: ConnectionState = { status: 'idle' };
  let main: Live | null = null;
  let spare: Live | null = null;
  let connectionId: string | null = null;
  let attempts = 0;
  /** The last failure was one that nobody answered. */
  let away = false;
  let generation = 0;
  let lostAt: number | null = null;
  let limited = false;
  /** The network changed: every better transport is tried now, one after the other. */
  let climbing = false;
  /** The close code with which the last token was refused; a second refusal counts, and the first says why. */
  let refused = 0;

  const become = (next: ConnectionState): void => {
    state = next;
    port.state(next);
  };
  const drop = (live: Live | null): void => {
    live?.watch.stop();
    live?.line.close();
  };
  const tearDown = (): void => {
    generation += 1;
    for (const alarm of [retry, probe, renewal, goodbye]) alarm.clear();
    drop(main);
    drop(spare);
    main = spare = null;
    climbing = false;
    if (state.status === 'online') lostAt = now();
  };

  const open = (transport: TransportName): Live => {
    const line = TRANSPORTS[transport](environment, port, connectionId, {
      frame(frame) {
        if (live !== main && live !== spare) return;
        live.watch.heard();
        received(live, frame);
      },
      alive: () => live.watch.heard(),
      closed: (code, retryAfterMs) => closed(live, code, retryAfterMs),
    });
    const watch = createWatch(environment, transport, line, (code) => closed(live, code));
    const live: Live = { transport, line, watch, openedAt: now(), ready: false };
    return live;
  };

  const openSpare = (transport: TransportName): void => {
    spare ??= open(transport);
  };

  const received = (live: Live, frame: Frame): void => {
    if (frame.type === 'channel.ready' && !live.ready) return becameReady(live, (frame.data ?? {}) as ReadyData);
    if (frame.type === 'channel.goodbye') {
      // Served until then; the next connection is opened beside this one, so that nothing is missed in between.
      const { reconnect_in_ms: ms } = frame.data as { reconnect_in_ms: number };
      return goodbye.set(ms, () => openSpare(live.transport));
    }
    port.frame(frame);
  };

  const becameReady = (live: Live, data: ReadyData): void => {
    const { transport, watch } = live;
    live.ready = true;
    if (live === spare) {
      drop(main);
      main = live;
      spare = null;
    }
    refused = 0;
    lostAt = null;
    connectionId = data.connection_id ?? null;
    limited &&= transport === 'rest';
    climbing = false;
    if (!limited) rungs.worked(transport);
    watch.start();
    scheduleProbe();
    scheduleRenewal();
    become({ status: 'online', transport, since: now(), shared: false, limited });
    port.ready(data, transport);
  };

  const scheduleProbe = (): void => {
    probe.clear();
    const ladder = rungs.ladder();
    const transport = limited ? rungs.current() : ladder?.better();
    // Jittered, so that all who were sent away at once do not come back at once.
    const limitedMs = LIMITED_PROBE_MS * (0.75 + environment.random() / 2);
    if (transport) probe.set(limited ? limitedMs : (ladder?.probeDelayMs() ?? 0), () => openSpare(transport));
  };

  const scheduleRenewal = (inMs?: number): void => {
    const at = port.renewAt();
    if (at === null) return;
    const renew = async (): Promise<void> => {
      const current = generation;
      // A refused renewal needs no care here: the server's 4401 brings `prepare`, which says why.
      const renewed = await port.renew().then(
        () => true,
        () => false,
      );
      if (current !== generation) return;
      if (renewed && main?.transport === 'sse') openSpare('sse');
      else if (renewed) main?.line.send(port.target.authFrame(port.token()));
      // Whoever gives the same token again is not asked every second.
      scheduleRenewal(port.renewAt() === at ? RENEW_AGAIN_MS : undefined);
    };
    renewal.set(inMs ?? Math.max(1_000, at - environment.wallNow()), () => void renew());
  };

  const closed = (live: Live, code: number, retryAfterMs?: number): void => {
    drop(live);
    if (live === spare) {
      spare = null;
      const another = closePolicy(code) !== 'poll_only' && rungs.ladder()?.probeFailed();
      if (climbing && another) return openSpare(another);
      climbing = false;
      scheduleProbe();
    } else if (live === main && spare) {
      // The line being opened takes over; what it says decides.
      main = spare;
      spare = null;
      lostAt ??= now();
      become({ status: 'connecting', transport: main.transport, attempt: attempts, lostAt });
    } else if (live === main) {
      const lived = live.ready ? now() - live.openedAt : 0;
      if (lived >= HEALTHY_MS) attempts = 0;
      if (lived < SHORT_LIFE_MS && (code === 1006 || code === 4408)) void tryNext(live.transport);
      lost(code, retryAfterMs, lived >= SHORT_LIFE_MS);
    }
  };

  /** Another way is no further attempt at the one that failed: the waiting grows from round to round, not from rung to rung. */
  const tryNext = async (failed: TransportName): Promise<void> => {
    if ((await rungs.failed(failed)) && attempts > 0) attempts -= 1;
  };

  const lost = (code: number, retryAfterMs = 0, lasted = false): void => {
    tearDown();
    const policy = closePolicy(code);
    // A revoked token is no end for whoever can show that they are who they were.
    const tokenRefused = [4401, 4501, 4505].includes(code);
    const again = tokenRefused && !refused;
    const first = refused || code;
    if (tokenRefused) {
      refused = first;
      port.expire();
    }
    if (policy === 'never' && !again) {
      const final = tokenRefused && first === 4505 ? first : code;
      return become({ status: 'stopped', reason: stopReason(final), code: final });
    }
    if (policy === 'poll_only') limited = true;
    // A restart that was announced, of a server that worked, is no failure.
    if (again || policy === 'poll_only' || (policy === 'now' && (lasted || attempts === 0))) {
      if (!lasted) attempts += 1;
      return begin();
    }
    const answered = !UNANSWERED.includes(code);
    if (answered && away) attempts = countedByServer(attempts);
    away = !answered;
    const atLeast = Math.max(retryAfterMs, code === 4429 ? RATE_LIMITED_MS : 0);
    lostAt ??= state.status === 'connecting' ? state.lostAt : null;
    const random = environment.random();
    const delay = away
      ? Math.max(awayMs(attempts, random, now() - (lostAt ?? now())), atLeast)
      : backoffMs(attempts, random, atLeast);
    attempts += 1;
    become({ status: 'waiting', retryAt: now() + delay, attempt: attempts, lostAt, code });
    retry.set(delay, begin);
  };

  const next = (): TransportName => (limited ? 'rest' : rungs.current());
  const begin = (): void => {
    tearDown();
    const current = generation;
    const transport = next();
    become({ status: 'connecting', transport, attempt: attempts, lostAt });
    port.prepare().then(
      () => {
        if (current === generation) main = open(transport);
      },
      (error: unknown) => {
        if (current === generation) lost(closeCodeOf(error), asError(error).retryAfterMs);
      },
    );
  };

  return {
    get state() {
      return state;
    },
    connect() {
      if (state.status !== 'idle' && state.status !== 'stopped') return;
      attempts = 0;
      limited = false;
      refused = 0;
      begin();
    },
    disconnect() {
      tearDown();
      lostAt = connectionId = null;
      if (state.status !== 'idle') become({ status: 'idle' });
    },
    wake(networkChanged) {
      attempts = 0;
      const ladder = networkChanged ? rungs.ladder() : null;
      if (main?.ready) {
        const better = ladder?.best();
        if (!better) return main.watch.check(() => main && openSpare(main.transport));
        climbing = true;
        return openSpare(better);
      }
      ladder?.top();
      // What is being opened over another network, or further down, is not waited for.
      if (state.status === 'waiting' || (state.status === 'connecting' && state.transport !== next())) begin();
    },
    suspend() {
      if (state.status === 'idle' || state.status === 'stopped') return;
      tearDown();
      become({ status: 'waiting', retryAt: now(), attempt: attempts, lostAt, code: 1001 });
    },
    send: (frame) => Boolean(main?.ready && main.line.send(frame)),
  };
}
