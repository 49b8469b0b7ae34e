import type { ConnectionState, TransportName } from '../api/connection.ts';
import type { Environment, Timer } from '../api/environment.ts';
import type { ClientFrame } from '../api/protocol.ts';
import { backoffMs } from '../core/backoff.ts';
import { closeCodeOf, retryAfterOf } from '../transport/http-close.ts';
import type { ChannelTarget, Frame, Line, ReadyData, Transports } from '../transport/transport.ts';
import { closePolicy, stopReason } from './close-policy.ts';
import type { Ladder } from './ladder.ts';
import { createWatch, type Watch } from './watch.ts';

const READY_DEADLINE_MS = 10_000;
const SHORT_LIFE_MS = 10_000;
const HEALTHY_MS = 30_000;
const LIMITED_PROBE_MS = 60_000;
const RATE_LIMITED_MS = 10_000;
const RENEW_AGAIN_MS = 10_000;

/** What a connection needs of its owner, and tells it. */
export interface ConnectionPort {
  readonly target: ChannelTarget;
  /** Before each attempt: a token that will live, and a cursor. Rejects with ChatClientError. */
  readonly prepare: () => Promise<void>;
  readonly token: () => string;
  readonly cursor: () => number | string | null;
  /** When the token should be renewed, by this clock; null: not known. */
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
  deadline: Timer;
  ready: boolean;
}

export function createConnection(
  environment: Environment,
  transports: Transports,
  ladder: Ladder,
  port: ConnectionPort,
): Connection {
  const { now, setTimer, clearTimer } = environment;
  let state: ConnectionState = { status: 'idle' };
  let main: Live | null = null;
  let spare: Live | null = null;
  let connectionId: string | null = null;
  let attempts = 0;
  let generation = 0;
  let lostAt: number | null = null;
  let limited = false;
  /** The last token was refused once; a second refusal counts. */
  let refused = false;
  const timers: { retry: Timer; probe: Timer; renew: Timer; goodbye: Timer } = {
    retry: null,
    probe: null,
    renew: null,
    goodbye: null,
  };

  const become = (next: ConnectionState): void => {
    state = next;
    port.state(next);
  };
  const schedule = (name: keyof typeof timers, ms: number, run: () => void): void => {
    clearTimer(timers[name]);
    timers[name] = setTimer(run, ms);
  };
  const drop = (live: Live | null): void => {
    if (!live) return;
    clearTimer(live.deadline);
    live.watch.stop();
    live.line.close();
  };
  const tearDown = (): void => {
    generation += 1;
    for (const timer of Object.values(timers)) clearTimer(timer);
    drop(main);
    drop(spare);
    main = spare = null;
    if (state.status === 'online') lostAt = now();
  };

  const open = (transport: TransportName): Live => {
    let live: Live | null = null;
    const ended = (code: number, retryAfterMs?: number): void => {
      if (live) closed(live, code, retryAfterMs);
    };
    const line = transports[transport](
      environment,
      port.target,
      { token: port.token(), currentToken: port.token, cursor: port.cursor, replaces: connectionId },
      {
        frame(frame) {
          if (!live || (live !== main && live !== spare)) return;
          live.watch.heard();
          received(live, frame);
        },
        alive: () => live?.watch.heard(),
        closed: ended,
      },
    );
    const watch = createWatch(environment, transport, line, () => {
      line.close();
      ended(4408);
    });
    const expired = (): void => {
      line.close();
      ended(1006);
    };
    live = { transport, line, watch, openedAt: now(), ready: false, deadline: setTimer(expired, READY_DEADLINE_MS) };
    return live;
  };

  const openSpare = (transport: TransportName): void => {
    if (!spare) spare = open(transport);
  };

  const received = (live: Live, frame: Frame): void => {
    if (frame.type === 'channel.ready' && !live.ready) return becameReady(live, (frame.data ?? {}) as ReadyData);
    if (frame.type === 'channel.goodbye') {
      // Served until then; the next connection is opened beside this one, so that nothing is missed in between.
      const { reconnect_in_ms: ms } = frame.data as { reconnect_in_ms: number };
      return schedule('goodbye', ms, () => openSpare(live.transport));
    }
    port.frame(frame);
  };

  const becameReady = (live: Live, data: ReadyData): void => {
    live.ready = true;
    clearTimer(live.deadline);
    if (live === spare) {
      drop(main);
      main = live;
      spare = null;
    }
    const { transport } = live;
    refused = false;
    lostAt = null;
    connectionId = data.connection_id ?? null;
    limited &&= transport === 'rest';
    if (!limited) ladder.worked(transport);
    live.watch.start();
    scheduleProbe();
    scheduleRenewal();
    become({ status: 'online', transport, since: now(), shared: false, limited });
    port.ready(data, transport);
  };

  const scheduleProbe = (): void => {
    const probe = limited ? ladder.current() : ladder.better();
    if (probe) schedule('probe', limited ? LIMITED_PROBE_MS : ladder.probeDelayMs(), () => openSpare(probe));
    else clearTimer(timers.probe);
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
    schedule('renew', inMs ?? Math.max(1_000, at - now()), () => void renew());
  };

  const closed = (live: Live, code: number, retryAfterMs = 0): void => {
    clearTimer(live.deadline);
    live.watch.stop();
    if (live === spare) {
      spare = null;
      if (closePolicy(code) !== 'poll_only') ladder.probeFailed();
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
      if (lived < SHORT_LIFE_MS && (code === 1006 || code === 4408)) ladder.failed(live.transport);
      lost(code, retryAfterMs);
    }
  };

  const lost = (code: number, retryAfterMs = 0): void => {
    tearDown();
    const policy = closePolicy(code);
    const firstRefusal = !refused && (code === 4401 || code === 4501);
    if (code === 4401 || code === 4501) {
      refused = true;
      port.expire();
    }
    if (policy === 'never' && !firstRefusal) return become({ status: 'stopped', reason: stopReason(code), code });
    if (policy === 'poll_only') limited = true;
    if (firstRefusal || policy === 'poll_only' || (policy === 'now' && attempts === 0)) {
      attempts += 1;
      return attempt();
    }
    const atLeast = Math.max(retryAfterMs, code === 4429 ? RATE_LIMITED_MS : 0);
    const delay = backoffMs(attempts, environment.random(), atLeast);
    attempts += 1;
    lostAt ??= state.status === 'connecting' ? state.lostAt : null;
    become({ status: 'waiting', retryAt: now() + delay, attempt: attempts, lostAt, code });
    schedule('retry', delay, attempt);
  };

  const attempt = (): void => {
    tearDown();
    const current = generation;
    const transport = limited ? 'rest' : ladder.current();
    become({ status: 'connecting', transport, attempt: attempts, lostAt });
    port.prepare().then(
      () => {
        if (current === generation) main = open(transport);
      },
      (error: unknown) => {
        if (current === generation) lost(closeCodeOf(error), retryAfterOf(error));
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
      refused = limited = false;
      attempt();
    },
    disconnect() {
      tearDown();
      lostAt = connectionId = null;
      if (state.status !== 'idle') become({ status: 'idle' });
    },
    wake(networkChanged) {
      const better = networkChanged && main?.ready ? ladder.better() : null;
      if (better) return openSpare(better);
      if (networkChanged) ladder.top();
      if (state.status === 'waiting') attempt();
      else if (main?.ready) main.watch.check(() => main && openSpare(main.transport));
    },
    suspend() {
      if (state.status === 'idle' || state.status === 'stopped') return;
      tearDown();
      become({ status: 'waiting', retryAt: now(), attempt: attempts, lostAt, code: 1001 });
    },
    send: (frame) => Boolean(main?.ready && main.line.send(frame)),
  };
}
