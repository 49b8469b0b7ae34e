import type { ConnectionState, TransportName } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';
import type { ClientFrame } from '../api/protocol.ts';
import { createCountdown } from '../core/countdown.ts';
import { awayMs, backoffMs, countedByServer } from '../core/backoff.ts';
import type { JsonStorage } from '../core/json-storage.ts';
import { asError } from '../errors.ts';
import { closeCodeOf } from '../transport/http-close.ts';
import type { Frame, TransportPort, ReadyData } from '../api/transport.ts';
import { closePolicy, stopReason } from './close-policy.ts';
import type { Fallback } from '../transport/fallback.ts';
import { type Link, openLink } from './link.ts';

/** Where the last working transport is stored, and for how long. */
const REMEMBERED = 'transport';
const REMEMBER_MS = 3_600_000;
const SHORT_LIFE_MS = 10_000;
const HEALTHY_MS = 30_000;
const LIMITED_PROBE_MS = 45_000;
const LIMITED_SPREAD_MS = 30_000;
const RATE_LIMITED_MS = 10_000;
const RENEW_AGAIN_MS = 10_000;
/** Refused, cut off or timed out: no evidence that a server is up. */
const UNANSWERED = [1006, 4408];

/** What a connection needs from its owner and reports to it. */
export interface ConnectionPort extends TransportPort {
  /** Before each attempt: provides a token that is valid long enough, and a cursor. Rejects with ChatClientError. */
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
  /** The transport that is preferred now. */
  readonly transport: TransportName;
  /** Reads which transport worked last; nothing is stored while the first transport works. */
  readonly recall: () => Promise<void>;
  readonly connect: () => void;
  readonly disconnect: () => void;
  /** The network is back, or the page is visible again: no waiting. */
  readonly wake: (networkChanged: boolean) => void;
  /** The page is suspended; `wake` ends it. */
  readonly suspend: () => void;
  /** False: nothing can be sent now. */
  readonly send: (frame: ClientFrame) => boolean;
}

/** A transport that is open, or being opened. */
interface Opened {
  readonly transport: TransportName;
  readonly at: number;
  readonly link: Link;
}

export function createConnection(
  environment: Environment,
  storage: JsonStorage,
  transports: readonly TransportName[],
  port: ConnectionPort,
): Connection {
  const { now, wallNow } = environment;
  const retry = createCountdown(environment);
  const probe = createCountdown(environment);
  const renewal = createCountdown(environment);
  const goodbye = createCountdown(environment);
  let state: ConnectionState = { status: 'idle' };
  let main: Opened | null = null;
  let replacement: Opened | null = null;
  let fallback: Fallback | null = null;
  /** Before there was a fallback. */
  let firstWorked = false;
  let connectionId: string | null = null;
  let attempts = 0;
  /** The last failure was without any answer. */
  let unanswered = false;
  let generation = 0;
  let lostAt: number | null = null;
  let limited = false;
  /** The network changed: every better transport is tried now, one after the other. */
  let tryAll = false;
  /** The close code with which the last token was refused. A second refusal counts, and the first one is reported. */
  let refused = 0;

  const become = (next: ConnectionState): void => {
    state = next;
    port.state(next);
  };
  const tearDown = (): void => {
    generation += 1;
    for (const countdown of [retry, probe, renewal, goodbye]) countdown.clear();
    main?.link.close();
    replacement?.link.close();
    main = replacement = null;
    tryAll = false;
    if (state.status === 'online') lostAt = now();
  };

  const isOnline = (): boolean => state.status === 'online';
  const open = (transport: TransportName): Opened => {
    const link = openLink(environment, port, transport, connectionId, {
      frame: (frame) => received(opened, frame),
      closed: (code, retryAfterMs) => closed(opened, code, retryAfterMs),
    });
    const opened = { transport, link, at: now() };
    return opened;
  };
  const openReplacement = (transport: TransportName): void => {
    replacement ??= open(transport);
  };

  const received = (opened: Opened, frame: Frame): void => {
    const isReady = opened === main && isOnline();
    if (frame.type === 'channel.ready' && !isReady) return becameReady(opened, (frame.data ?? {}) as ReadyData);
    if (frame.type !== 'channel.goodbye') return port.frame(frame);
    // Served until then; the next connection is opened beside this one, so that nothing is missed in between.
    const { reconnect_in_ms: ms } = frame.data as { reconnect_in_ms: number };
    goodbye.set(ms, () => openReplacement(opened.transport));
  };

  const becameReady = (opened: Opened, data: ReadyData): void => {
    const { transport } = opened;
    if (opened === replacement) {
      main?.link.close();
      main = opened;
      replacement = null;
      // Belongs to the connection that is left: the new one has not announced a shutdown.
      goodbye.clear();
    }
    refused = 0;
    lostAt = null;
    connectionId = data.connection_id ?? null;
    limited &&= transport === 'rest';
    tryAll = false;
    if (!limited) worked(transport);
    opened.link.ready();
    scheduleProbe();
    scheduleRenewal();
    become({ status: 'online', transport, since: now(), shared: false, limited });
    port.ready(data, transport);
  };
  const worked = (transport: TransportName): void => {
    firstWorked ||= !fallback;
    fallback?.worked(transport);
    if (fallback?.rank) storage.set(REMEMBERED, { transport, until: wallNow() + REMEMBER_MS });
    else if (fallback) storage.remove(REMEMBERED);
  };

  /** `turnedAway`: the server has just said that it is full, or that the channel is off. */
  const scheduleProbe = (turnedAway = limited): void => {
    probe.clear();
    // REST polling may have been the last to work, but it is not a channel that could be tried.
    const transport = limited && preferred() !== 'rest' ? preferred() : fallback?.better;
    // Jittered, so that clients closed at the same time do not all return at the same time.
    const limitedMs = LIMITED_PROBE_MS + LIMITED_SPREAD_MS * environment.random();
    if (transport) probe.set((!turnedAway && fallback?.probeMs) || limitedMs, () => openReplacement(transport));
  };

  const scheduleRenewal = (inMs?: number): void => {
    const at = port.renewAt();
    if (at === null) return;
    const renew = async (): Promise<void> => {
      const current = generation;
      // A refused renewal needs no handling here: the server's 4401 leads to `prepare`, which reports the reason.
      const renewed = await port.renew().then(
        () => true,
        () => false,
      );
      if (current !== generation) return;
      if (renewed && main?.transport === 'sse') openReplacement('sse');
      else if (renewed) main?.link.send(port.target.authFrame(port.token()));
      // A provider that returns the same token again is not called every second.
      scheduleRenewal(port.renewAt() === at ? RENEW_AGAIN_MS : undefined);
    };
    renewal.set(inMs ?? Math.max(1_000, at - wallNow()), () => void renew());
  };

  const closed = (opened: Opened, code: number, retryAfterMs?: number): void => {
    if (opened === replacement) {
      replacement = null;
      const mayProbe = closePolicy(code) !== 'poll_only';
      if (mayProbe) fallback?.probeFailed();
      const another = tryAll && mayProbe && fallback?.untried;
      if (another) return openReplacement(another);
      tryAll = false;
      scheduleProbe(limited || !mayProbe);
    } else if (replacement) {
      // The connection being opened takes over; its outcome decides.
      main = replacement;
      replacement = null;
      lostAt ??= now();
      become({ status: 'connecting', transport: main.transport, attempt: attempts, lostAt });
    } else {
      const lived = isOnline() ? now() - opened.at : 0;
      if (lived >= HEALTHY_MS) attempts = 0;
      const lasted = lived >= SHORT_LIFE_MS;
      const useless = !lasted && UNANSWERED.includes(code);
      lost(code, retryAfterMs, lasted, useless && fallback?.failed(opened.transport));
      if (useless && !fallback) void fallBack(opened.transport);
    }
  };

  /**
   * A module that cannot be loaded now is requested again at the next failure; until then the first transport is
   * retried.
   */
  const fallBack = async (failed: TransportName): Promise<void> => {
    await load();
    if (fallback?.failed(failed) && attempts > 0) attempts -= 1;
  };
  const load = async (startWith?: TransportName): Promise<void> => {
    const fallbacks = await import('../transport/fallbacks.ts').catch(() => null);
    if (fallbacks) fallback ??= fallbacks.createFallback(transports, firstWorked, startWith);
  };

  const lost = (code: number, retryAfterMs = 0, lasted = false, fellBack = false): void => {
    tearDown();
    const policy = closePolicy(code);
    // A revoked token is not the end for a customer who can prove their identity.
    const tokenRefused = [4401, 4501, 4505].includes(code);
    const again = tokenRefused && !refused;
    if (tokenRefused) {
      refused ||= code;
      port.expire();
    }
    if (policy === 'never' && !again) {
      const final = tokenRefused && refused === 4505 ? refused : code;
      return become({ status: 'stopped', reason: stopReason(final), code: final });
    }
    if (policy === 'poll_only') limited = true;
    // An announced restart of a server that worked does not count as a failure.
    if (again || policy === 'poll_only' || (policy === 'now' && (lasted || attempts === 0))) {
      if (!lasted) attempts += 1;
      return begin();
    }
    const wasUnanswered = unanswered;
    unanswered = UNANSWERED.includes(code);
    if (wasUnanswered && !unanswered) attempts = countedByServer(attempts);
    const atLeast = Math.max(retryAfterMs, code === 4429 ? RATE_LIMITED_MS : 0);
    lostAt ??= state.status === 'connecting' ? state.lostAt : null;
    const random = environment.random();
    const delay = unanswered
      ? Math.max(awayMs(attempts, random, now() - (lostAt ?? now())), atLeast)
      : backoffMs(attempts, random, atLeast);
    const attempt = attempts + 1;
    // Another transport is not a further attempt with the failed one: the wait grows from round to round, not within
    // one.
    if (!fellBack) attempts = attempt;
    become({ status: 'waiting', retryAt: now() + delay, attempt, lostAt, code });
    retry.set(delay, begin);
  };

  const preferred = (): TransportName => fallback?.current ?? transports[0] ?? 'rest';
  const next = (): TransportName => (limited ? 'rest' : preferred());
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
    get transport() {
      return preferred();
    },
    async recall() {
      const kept = await storage.get<{ transport: TransportName; until: number }>(REMEMBERED);
      if (kept && kept.until > wallNow()) await load(kept.transport);
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
      if (main && isOnline()) {
        if (networkChanged) fallback?.probeAnew();
        const better = networkChanged && fallback?.untried;
        if (!better) return main.link.check(() => main && openReplacement(main.transport));
        tryAll = true;
        return openReplacement(better);
      }
      if (networkChanged) fallback?.top();
      // A connection being opened over another network, or with a worse transport, is not waited for.
      if (state.status === 'waiting' || (state.status === 'connecting' && state.transport !== next())) begin();
    },
    suspend() {
      if (state.status === 'idle' || state.status === 'stopped') return;
      tearDown();
      become({ status: 'waiting', retryAt: now(), attempt: attempts, lostAt, code: 1001 });
    },
    send: (frame) => Boolean(isOnline() && main?.link.send(frame)),
  };
}
