// What the client loads when it needs it is there from the start, so that loading takes none of the virtual time.
import '../customer/identity.ts';
import '../tabs/others.ts';
import '../transport/reserve.ts';
import type { Environment } from '../api/environment.ts';
import { createClock, type VirtualClock } from './clock.ts';
import { FakeServer, type FakeConnection, type FakeReply, type FakeRequest } from './fake-server.ts';
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
  /** The server has done it, the answer does not arrive. */
  loseAnswer: number;
  loseFrame: number;
  repeatFrame: number;
  swapFrames: number;
  blocked: { websocket: boolean; sse: boolean; poll: boolean };
}

export interface Tab {
  readonly environment: Environment;
  readonly lifecycle: (event: 'online' | 'visible' | 'frozen' | 'thawed') => void;
  /** The tab is gone in this instant: its timers stop, its sockets break, its locks are freed. */
  readonly crash: () => void;
}

/** A whole world in memory: one server, one browser with tabs, a network in between, a clock that a test turns. */
export interface FakeWorld {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly server: FakeServer;
  readonly browser: FakeBrowser;
  readonly network: NetworkFaults;
  /** How far the device's clock is ahead of the server's. */
  readonly wall: { aheadMs: number };
  readonly sockets: ReadonlySet<SocketPair>;
  readonly tab: (name?: string) => Tab;
  readonly cutAll: () => void;
  readonly advance: (ms: number) => Promise<void>;
}

export interface WorldOptions {
  readonly seed?: number;
  /** False: frames wait in their socket pair until the test flushes them. */
  readonly autoFlush?: boolean;
  readonly latencyMs?: number;
}

const WAIT_MS = 25_000;

/** A Response whose JSON needs no stream. */
class FakeResponse extends Response {
  readonly #value: unknown;
  constructor(reply: FakeReply) {
    super(null, { status: reply.status, headers: reply.retryAfter ? { 'retry-after': String(reply.retryAfter) } : {} });
    this.#value = reply.body;
  }
  override json(): Promise<unknown> {
    return Promise.resolve(structuredClone(this.#value));
  }
}

export function createWorld({ seed = 1, autoFlush = true, latencyMs = 5 }: WorldOptions = {}): FakeWorld {
  const clock = createClock();
  const began = clock.now();
  const wall = { aheadMs: 0 };
  const random = createRandom(seed);
  const server = new FakeServer(clock);
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
  const later = (run: () => void): void => void clock.setTimer(run, random() * network.latencyMs);
  const browser = createFakeBrowser((run) => void clock.setTimer(run, 0));

  const openSocket = (url: string, protocols: string[]): SocketPair => {
    const pair = createSocketPair(url, protocols);
    sockets.add(pair);
    let connection: FakeConnection | null = null;
    const leave = (): void => {
      if (connection) server.connections.delete(connection);
      sockets.delete(pair);
    };
    pair.server.onClose = leave;
    pair.server.onMessage = (text) => {
      const frame = JSON.parse(text) as Record<string, unknown>;
      if (connection) return server.receive(connection, frame);
      const cursor = typeof frame['last_seq'] === 'number' ? frame['last_seq'] : null;
      const admitted = server.connect(
        {
          sessionId: Number(frame['session_id']),
          transport: 'websocket',
          send: (one) => pair.server.send(JSON.stringify(one)),
          close: (code) => pair.server.close(code),
        },
        String(frame['token']),
        cursor,
      );
      if (typeof admitted === 'number') pair.server.close(admitted);
      else connection = admitted;
    };
    pair.onQueued = (direction) => {
      if (!autoFlush) return;
      later(() => {
        if (network.silent || network.offline) return;
        if (direction === 'up') return void pair.flushUp();
        if (random.chance(network.swapFrames)) pair.swapDown();
        if (random.chance(network.repeatFrame)) pair.repeatDown();
        // The first frames say who is there; a network that loses them is one that never connects.
        if (random.chance(network.loseFrame) && /"seq":\d/.test(pair.down[0] ?? '')) pair.dropDown();
        // Like TCP: what was held up is not lost, it arrives with what comes after it.
        pair.flushDown();
      });
    };
    later(() => {
      if (network.offline || network.blocked.websocket) pair.cut();
      else if (!network.silent) pair.open();
    });
    return pair;
  };

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
  const channelRequest = (one: FakeRequest, answer: (response: Response) => void, fail: () => void): void => {
    const sse = one.path.endsWith('/sse');
    const token = (one.headers['authorization'] ?? '').replace(/^Bearer /, '');
    const sessionId = Number(one.query.get('session'));
    const cursor = one.query.has('last_seq') ? Number(one.query.get('last_seq')) : null;
    if (network.blocked[sse ? 'sse' : 'poll']) return fail();
    if (!sse) return poll(one, sessionId, token, cursor, answer);
    let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
    const stream = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
    const encoder = new TextEncoder();
    const write = (text: string): void =>
      later(() => {
        if (!network.silent && !network.offline) controller?.enqueue(encoder.encode(text));
      });
    const end = (): void => {
      if (!controller) return;
      if (live && typeof live !== 'number') server.connections.delete(live);
      breakables.delete(breakStream);
      const open = controller;
      controller = null;
      open.error(new TypeError('connection lost'));
    };
    const breakStream = end;
    const comment = (): void => {
      if (!controller) return;
      write(': alive\n\n');
      clock.setTimer(comment, 15_000);
    };
    let live: FakeConnection | number | null = null;
    live = server.connect(
      {
        sessionId,
        transport: 'sse',
        send(frame) {
          const lost = /"seq":\d/.test(JSON.stringify(frame)) && random.chance(network.loseFrame);
          if (!lost) write(`data: ${JSON.stringify(frame)}\n\n`);
        },
        close(code) {
          write(`data: ${JSON.stringify({ type: 'channel.closed', data: { code, reason: '' } })}\n\n`);
          clock.setTimer(end, network.latencyMs + 1);
        },
      },
      token,
      cursor,
    );
    if (typeof live === 'number') return answer(new FakeResponse(refusalOf(live)));
    breakables.add(breakStream);
    clock.setTimer(comment, 15_000);
    answer(new Response(stream, { status: 200 }));
  };
  const poll = (
    one: FakeRequest,
    sessionId: number,
    token: string,
    cursor: number | null,
    answer: (response: Response) => void,
  ): void => {
    const refusal =
      server.judge(sessionId, token) ?? server.hooks.onConnect?.({ sessionId, transport: 'poll' }) ?? null;
    if (refusal !== null) return answer(new FakeResponse(refusalOf(refusal)));
    const head = (): number => server.eventsAfter(sessionId, 0).length;
    const reply = (after: number): void => {
      const events = server.eventsAfter(sessionId, after);
      answer(new FakeResponse({ status: 200, body: { events, last_seq: head(), has_more: false } }));
    };
    if (cursor !== null && cursor > head())
      return answer(new FakeResponse({ status: 409, body: { error: { code: 'cursor_ahead' } } }));
    if (cursor === null || cursor < head() || one.query.get('wait') === '0') return reply(cursor ?? head());
    const waiter: FakeConnection = {
      id: 'poll',
      sessionId,
      transport: 'poll',
      send: (frame) => {
        if (typeof (frame as { seq?: unknown }).seq === 'number') finish();
      },
      close: () => finish(),
    };
    let done = false;
    const finish = (): void => {
      if (done) return;
      done = true;
      server.connections.delete(waiter);
      if (server.sessions.has(sessionId) && cursor <= head()) reply(cursor);
      else answer(new FakeResponse({ status: 409, body: { error: { code: 'cursor_ahead' } } }));
    };
    server.connections.add(waiter);
    clock.setTimer(finish, WAIT_MS);
  };

  const fakeFetch = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      const fail = (): void => {
        breakables.delete(fail);
        reject(new TypeError('fetch failed'));
      };
      breakables.add(fail);
      const answer = (response: Response): void =>
        later(() => {
          if (network.silent) return;
          if (network.offline || random.chance(network.loseAnswer)) return fail();
          breakables.delete(fail);
          resolve(response);
        });
      init?.signal?.addEventListener('abort', () => {
        breakables.delete(fail);
        reject(new DOMException('aborted', 'AbortError'));
      });
      later(() => {
        if (network.silent) return;
        if (network.offline || random.chance(network.loseRequest)) return fail();
        const one = request(String(input), init);
        if (one.path === '/channel/sse' || one.path === '/channel/poll') return channelRequest(one, answer, fail);
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
    browser,
    network,
    wall,
    sockets,
    tab,
    cutAll() {
      for (const pair of [...sockets]) pair.cut();
      for (const broken of [...breakables]) broken();
    },
    advance: clock.advance,
  };
}
