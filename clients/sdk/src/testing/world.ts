// Modules that the client loads on demand are loaded from the start here, so that loading takes no virtual time.
import '../customer/identity.ts';
import '../tabs/peers.ts';
import '../transport/fallbacks.ts';
import type { Environment } from '../api/environment.ts';
import { MemoryEdge, VirtualClock as Time, VirtualGateway } from '@chat-realtime/channel-gateway/testing';
import { clockOf, type VirtualClock } from './clock.ts';
import { FakeServer, type FakeReply, type FakeRequest } from './fake-server.ts';
import type { FakeGateway } from './fake-gateway.ts';
import { judgeTokens } from './judge-tokens.ts';
import { createFakeBrowser, type FakeBrowser } from './fake-tabs.ts';
import { createRandom, type Random } from './random.ts';
import { createSocketPair, type SocketPair } from './socket-pair.ts';

/** What the network does. Probabilities are per request or per frame. */
export interface NetworkFaults {
  /** Nothing gets through; open connections break. */
  offline: boolean;
  /** Open connections stay open and carry nothing. */
  silent: boolean;
  latencyMs: number;
  loseRequest: number;
  /** The server has processed the request, but the answer does not arrive. */
  loseAnswer: number;
  loseFrame: number;
  repeatFrame: number;
  swapFrames: number;
  blocked: { websocket: boolean; sse: boolean; poll: boolean };
}

export interface Tab {
  readonly environment: Environment;
  readonly lifecycle: (event: 'online' | 'visible' | 'frozen' | 'thawed') => void;
  /** The tab crashes at once: its timers stop, its sockets break, its locks are released. */
  readonly crash: () => void;
}

/**
 * A whole world in memory: a chat-service, the real core of a gateway, one browser with tabs, a network in between, and
 * one clock that the test advances.
 */
export interface FakeWorld {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** The chat-service. */
  readonly server: FakeServer;
  readonly gateway: FakeGateway;
  readonly browser: FakeBrowser;
  readonly network: NetworkFaults;
  /** How far the device's clock is ahead of the server's. */
  readonly wall: { aheadMs: number };
  readonly sockets: ReadonlySet<SocketPair>;
  readonly tab: (name?: string) => Tab;
  readonly cutAll: () => void;
  /** How many frames and requests the network has carried. */
  readonly carried: number;
  readonly advance: (ms: number) => Promise<void>;
}

export interface WorldOptions {
  readonly seed?: number;
  /** False: frames wait in their socket pair until the test flushes them. */
  readonly autoFlush?: boolean;
  readonly latencyMs?: number;
  /** How often the gateway compares what it has with the chat-service; default 2. */
  readonly headCheckSeconds?: number;
  readonly tokenLifeSeconds?: number;
}

/** A Response whose JSON needs no stream. */
class FakeResponse extends Response {
  readonly #text: string;
  constructor(reply: FakeReply) {
    super(null, { status: reply.status, headers: reply.retryAfter ? { 'retry-after': String(reply.retryAfter) } : {} });
    this.#text = JSON.stringify(reply.body);
  }
  override json(): Promise<unknown> {
    return Promise.resolve(JSON.parse(this.#text));
  }
}

export function createWorld(options: WorldOptions = {}): FakeWorld {
  const { seed = 1, autoFlush = true, latencyMs = 5, headCheckSeconds = 2, tokenLifeSeconds = 3_600 } = options;
  const time = new Time();
  const clock = clockOf(time);
  const began = clock.now();
  const wall = { aheadMs: 0 };
  const random = createRandom(seed);
  const behind = new VirtualGateway({
    seed,
    clock: time,
    config: { headCheckSeconds },
    verifier: judgeTokens(tokenLifeSeconds),
  });
  const server = new FakeServer(clock, behind.ledger, tokenLifeSeconds);
  const edge = new MemoryEdge(
    () => behind.core,
    () => behind.verifier,
  );
  const sockets = new Set<SocketPair>();
  /** Ends of requests and streams that are open: a cut breaks them. */
  const breakables = new Set<() => void>();
  const network: NetworkFaults = {
    offline: false,
    silent: false,
    latencyMs,
    loseRequest: 0,
    loseAnswer: 0,
    loseFrame: 0,
    repeatFrame: 0,
    swapFrames: 0,
    blocked: { websocket: false, sse: false, poll: false },
  };
  let carried = 0;
  const later = (run: () => void): void => void clock.setTimer(run, random() * network.latencyMs);
  const isThrough = (): boolean => !network.silent && !network.offline;
  const browser = createFakeBrowser((run) => void clock.setTimer(run, 0));

  const openSocket = (url: string, protocols: string[]): SocketPair => {
    const pair = createSocketPair(url, protocols);
    sockets.add(pair);
    pair.server.onClose = () => void sockets.delete(pair);
    pair.onQueued = (direction) => {
      if (!autoFlush) return;
      later(() => {
        if (!isThrough()) return;
        if (direction === 'up') return void (carried += pair.flushUp());
        if (random.chance(network.swapFrames)) pair.swapDown();
        if (random.chance(network.repeatFrame)) pair.repeatDown();
        // The first frames establish the connection; a network that loses them never connects.
        if (random.chance(network.loseFrame) && /"seq":\d/.test(pair.down[0] ?? '')) pair.dropDown();
        // Like TCP: held-up data is not lost, it arrives with the data after it.
        carried += pair.flushDown();
      });
    };
    later(() => {
      if (network.offline || network.blocked.websocket) return pair.cut();
      if (network.silent) return;
      const connection = edge.socket({
        get queuedBytes() {
          return pair.downBytes;
        },
        send: pair.server.send,
        close: pair.server.close,
        destroy: pair.cut,
        // The browser answers pings, whatever the page does.
        ping: () => later(() => isThrough() && pair.isOpen && connection.ponged()),
      });
      pair.onDrained = connection.drained;
      pair.server.onClose = () => {
        sockets.delete(pair);
        connection.closed();
      };
      let known = false;
      pair.server.onMessage = (text) => {
        const refusal = known ? undefined : refusalAtEdge('websocket', Number(JSON.parse(text)['session_id']));
        known = true;
        if (refusal === undefined) connection.receive(text);
        else connection.close(refusal);
      };
      pair.open();
    });
    return pair;
  };
  const refusalAtEdge = (transport: string, sessionId: number): number | undefined =>
    server.hooks.onConnect?.({ sessionId, transport });

  const request = (url: string, init: RequestInit = {}): FakeRequest => {
    const { pathname, searchParams } = new URL(url, 'http://fake');
    const headers = Object.fromEntries(
      Object.entries({ ...init.headers }).map(([name, value]) => [name.toLowerCase(), String(value)]),
    );
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    return { method: init.method ?? 'GET', path: pathname, query: searchParams, headers, body };
  };
  const refusalOf = (code: number): FakeReply => {
    const codes: Record<number, [number, string]> = {
      4401: [401, 'token_expired'],
      4529: [429, 'connection_limit'],
      4530: [503, 'channel_off'],
      4429: [429, 'rate_limited'],
      4501: [401, 'bad_token'],
      4504: [404, 'session_not_found'],
    };
    const [status, name] = codes[code] ?? [503, 'unavailable'];
    return { status, body: { error: { code: name } }, ...((status === 429 || status === 503) && { retryAfter: 1 }) };
  };

  /** A channel request (SSE, poll): `answer` is called once, `fail` when the connection breaks. */
  const channelRequest = (one: FakeRequest, answer: (response: Response) => void, fail: () => void): (() => void) => {
    const kind = one.path.endsWith('/sse') ? 'sse' : 'poll';
    const token = one.headers['authorization']?.replace(/^Bearer /, '');
    const reply = (given: FakeReply): void => answer(new FakeResponse(given));
    const nothing = (): void => undefined;
    if (network.blocked[kind]) {
      fail();
      return nothing;
    }
    const refusal = refusalAtEdge(kind, Number(one.query.get('session')));
    if (refusal !== undefined) {
      reply(refusalOf(refusal));
      return nothing;
    }
    if (kind === 'poll') {
      const connection = edge.poll(one.query, token, { destroy: fail, answer: reply });
      return () => connection?.closed();
    }
    return stream(one.query, token, answer, reply);
  };

  const stream = (
    query: URLSearchParams,
    token: string | undefined,
    answer: (response: Response) => void,
    refuse: (given: FakeReply) => void,
  ): (() => void) => {
    let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
    let held: string[] = [];
    let queuedBytes = 0;
    let isOver = false;
    let opened = false;
    const encoder = new TextEncoder();
    const open = (): void => {
      opened = true;
      answer(new Response(new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) }), { status: 200 }));
    };
    const breakStream = (): void => {
      if (isOver) return;
      isOver = true;
      breakables.delete(breakStream);
      connection?.closed();
      controller?.error(new TypeError('connection lost'));
    };
    /** Like TCP: held-up data arrives with the data after it. */
    const flush = (): void => {
      if (isOver || !isThrough()) return;
      const texts = held;
      held = [];
      queuedBytes = 0;
      carried += texts.length;
      for (const text of texts) {
        const lost = /"seq":\d/.test(text) && random.chance(network.loseFrame);
        if (!lost) controller?.enqueue(encoder.encode(text));
      }
      connection?.drained();
    };
    breakables.add(breakStream);
    const connection = edge.stream(query, token, {
      get queuedBytes() {
        return queuedBytes;
      },
      write(text) {
        if (!opened) open();
        held.push(text);
        queuedBytes += text.length;
        later(flush);
      },
      end: () => void clock.setTimer(breakStream, network.latencyMs + 1),
      destroy: breakStream,
      refuse,
    });
    return breakStream;
  };

  const fakeFetch = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      const fail = (): void => {
        breakables.delete(fail);
        left();
        reject(new TypeError('fetch failed'));
      };
      let left = (): void => undefined;
      breakables.add(fail);
      const answer = (response: Response): void =>
        later(() => {
          if (network.silent) return;
          if (network.offline || random.chance(network.loseAnswer)) return fail();
          carried += 1;
          breakables.delete(fail);
          resolve(response);
        });
      init?.signal?.addEventListener('abort', () => {
        breakables.delete(fail);
        left();
        reject(new DOMException('aborted', 'AbortError'));
      });
      later(() => {
        if (network.silent) return;
        if (network.offline || random.chance(network.loseRequest)) return fail();
        const one = request(String(input), init);
        if (one.path === '/channel/sse' || one.path === '/channel/poll') {
          left = channelRequest(one, answer, fail);
          return;
        }
        if (one.path === '/channel/ack') {
          const token = one.headers['authorization']?.replace(/^Bearer /, '');
          void edge.ack(one.query, token, one.body, (given) => answer(new FakeResponse(given)));
          return;
        }
        answer(new FakeResponse(server.handle(one)));
      });
    });

  const tab = (name = 'tab'): Tab => {
    let alive = true;
    const listeners = new Set<Parameters<Environment['onLifecycle']>[0]>();
    const own = new Set<SocketPair>();
    const environment: Environment = {
      fetch: (input, init) => (alive ? fakeFetch(input as RequestInfo, init) : new Promise(() => undefined)),
      webSocket(url, protocols) {
        const pair = openSocket(url, protocols);
        own.add(pair);
        return pair.client;
      },
      storage: browser.storage,
      locks: browser.locks(name),
      openTabChannel: browser.channels(name),
      now: () => clock.now() - began,
      wallNow: () => clock.now() + wall.aheadMs,
      random,
      uuid: () => {
        const hex = Array.from({ length: 32 }, () => random.below(16).toString(16)).join('');
        return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
      },
      setTimer: (run, ms) => clock.setTimer(() => alive && run(), ms),
      clearTimer: clock.clearTimer,
      onLifecycle(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    return {
      environment,
      lifecycle: (event) => {
        for (const listener of [...listeners]) listener(event);
      },
      crash() {
        alive = false;
        for (const pair of own) {
          pair.client.onclose = pair.client.onmessage = null;
          pair.cut();
        }
        browser.crash(name);
      },
    };
  };

  return {
    clock,
    random,
    server,
    gateway: {
      get connections() {
        return edge.connections;
      },
      livePath: behind.fanout,
      source: behind.ledger,
      restart: () => void behind.restart(),
      freeze: (ms) => time.freeze(ms),
    },
    browser,
    network,
    wall,
    sockets,
    tab,
    cutAll() {
      for (const pair of [...sockets]) pair.cut();
      for (const broken of [...breakables]) broken();
    },
    get carried() {
      return carried;
    },
    advance: clock.advance,
  };
}
