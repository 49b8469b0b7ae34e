import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  ALL_EVENTS,
  ALL_PHASES,
  EFFECTS,
  type Event,
  type Phase,
  PHASES,
  renderTable,
  TRANSITIONS,
} from '../../test/transition-table.ts';
import type { WebSocketLike } from '../api/environment.ts';
import { memoryStorage } from '../core/environment.ts';
import { createJsonStorage } from '../core/json-storage.ts';
import { ChatClientError } from '../errors.ts';
import { createClock, settle } from '../testing/clock.ts';
import { createWorld } from '../testing/index.ts';
import { type Connection, createConnection } from './connection.ts';

const HOUR_MS = 3_600_000;
/** The renewal time of a token that is renewed soon. */
const RENEW_MS = 5_000;
/** The silence after which a replacement is opened, which must be ready in 10 s. */
const SILENT_MS = 21_000;

class Socket implements WebSocketLike {
  readyState = 1;
  onopen: WebSocketLike['onopen'] = null;
  onmessage: WebSocketLike['onmessage'] = null;
  onclose: WebSocketLike['onclose'] = null;
  onerror: WebSocketLike['onerror'] = null;
  readonly #note: (what: string) => void;
  constructor(note: (what: string) => void) {
    this.#note = note;
  }
  get isOpen(): boolean {
    return this.readyState === 1;
  }
  send(text: string): void {
    this.#note(`sent ${(JSON.parse(text) as { type: string }).type}`);
  }
  close(): void {
    if (this.isOpen) this.#note('closed');
    this.readyState = 3;
  }
  frame(type: string, data: unknown = {}): void {
    this.onmessage?.({ data: JSON.stringify({ type, data }) });
  }
  end(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code, reason: '' });
  }
}

/** What a connection awaits; the test settles it. */
class Pending {
  readonly promise: Promise<void>;
  resolve!: () => void;
  reject!: (error: unknown) => void;
  constructor() {
    this.promise = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
  }
}

/** A connection whose dependencies the test controls; it records everything it does. */
class Bench {
  readonly clock = createClock();
  readonly sockets: Socket[] = [];
  readonly prepares: Pending[] = [];
  readonly renewals: Pending[] = [];
  readonly timers = new Set<object>();
  record: string[] = [];
  renewInMs = HOUR_MS;
  restFails = false;
  readonly connection: Connection;

  constructor() {
    const { clock, timers } = this;
    const note = (what: string): void => void this.record.push(what);
    const awaited = (list: Pending[], what: string) => (): Promise<void> => {
      note(what);
      const one = new Pending();
      list.push(one);
      return one.promise;
    };
    const environment = {
      ...createWorld().tab().environment,
      now: clock.now,
      wallNow: clock.now,
      random: () => 0.5,
      setTimer(run: () => void, ms: number): object {
        const timer: { due?: unknown } = {};
        timer.due = clock.setTimer(() => {
          timers.delete(timer);
          run();
        }, ms);
        timers.add(timer);
        return timer;
      },
      clearTimer(timer: unknown): void {
        if (timers.delete(timer as object)) clock.clearTimer((timer as { due: unknown }).due);
      },
      webSocket: (): WebSocketLike => {
        note('opened');
        const socket = new Socket(note);
        this.sockets.push(socket);
        return socket;
      },
    };
    this.connection = createConnection(
      environment,
      createJsonStorage(memoryStorage(), ''),
      ['websocket', 'sse', 'rest'],
      {
        target: {
          base: 'http://fake',
          cursorName: 'last_seq',
          query: () => ({ session: 1 }),
          authFrame: (token) => ({ type: 'auth', session_id: 1, token }),
          restPoll: () =>
            this.restFails
              ? Promise.reject(new ChatClientError('network'))
              : Promise.resolve({ events: [], last_seq: 0, has_more: false }),
        },
        token: () => 'token',
        cursor: () => 0,
        prepare: awaited(this.prepares, 'prepare'),
        renewAt: () => clock.now() + this.renewInMs,
        renew: awaited(this.renewals, 'renew'),
        expire: () => note('expire'),
        ready: () => note('ready'),
        frame: ({ type }) => note(type),
        state: ({ status }) => note(`is ${status}`),
      },
    );
  }

  get open(): Socket[] {
    return this.sockets.filter(({ isOpen }) => isOpen);
  }
  get main(): Socket | undefined {
    return this.open[0];
  }
  get phase(): Phase {
    const { status } = this.connection.state;
    const [first, second] = PHASES[status] as [Phase, Phase?];
    if (status === 'waiting') return this.timers.size > 0 ? first : (second ?? first);
    const opened = this.open.length + Number(this.limitedOnline);
    return second && opened > (status === 'online' ? 1 : 0) ? second : first;
  }
  get limitedOnline(): boolean {
    const { state } = this.connection;
    return state.status === 'online' && state.limited;
  }
  async prepared(): Promise<void> {
    this.prepares.at(-1)?.resolve();
    await settle();
  }
  async openMain(): Promise<void> {
    this.connection.connect();
    await this.prepared();
  }
  async goOnline(): Promise<void> {
    await this.openMain();
    this.main?.frame('channel.ready');
  }
}

/** Leaves a connection with its renewal, and an attempt, whose responses are still pending. */
async function withPast(): Promise<{ bench: Bench; left: Socket; renewal: Pending; attempt: Pending }> {
  const bench = new Bench();
  bench.renewInMs = RENEW_MS;
  await bench.goOnline();
  await bench.clock.advance(RENEW_MS);
  bench.connection.disconnect();
  bench.renewInMs = HOUR_MS;
  bench.connection.connect();
  bench.connection.disconnect();
  const [left] = bench.sockets;
  const [renewal] = bench.renewals;
  const attempt = bench.prepares.at(-1);
  if (!left || !renewal || !attempt) throw new Error('nothing was left behind');
  return { bench, left, renewal, attempt };
}

const REACH: Readonly<Record<Phase, (bench: Bench, silentMs?: number) => Promise<void> | void>> = {
  idle: () => undefined,
  preparing: ({ connection }) => connection.connect(),
  opening: (bench) => bench.openMain(),
  async online(bench, silentMs = 0) {
    await bench.goOnline();
    await bench.clock.advance(silentMs);
  },
  async replacing(bench, silentMs = 0) {
    await bench.goOnline();
    bench.main?.frame('channel.goodbye', { reconnect_in_ms: silentMs });
    await bench.clock.advance(silentMs);
  },
  async waiting(bench) {
    await bench.openMain();
    bench.main?.end(1013);
  },
  async suspended(bench) {
    await bench.goOnline();
    bench.connection.suspend();
  },
  async stopped(bench) {
    await bench.openMain();
    bench.main?.end(4503);
  },
};

/** How many timers run in each phase. Online: heartbeat and renewal; and one deadline for each transport. */
const TIMERS: Readonly<Record<Phase, number>> = {
  idle: 0,
  preparing: 0,
  opening: 1,
  online: 2,
  replacing: 3,
  waiting: 1,
  suspended: 0,
  stopped: 0,
};

type Past = Omit<Awaited<ReturnType<typeof withPast>>, 'bench'>;

/** How each event is made to happen, if it can. */
const HAPPEN: Readonly<Record<Event, (bench: Bench, past: Past) => Promise<void> | void>> = {
  connect: ({ connection }) => connection.connect(),
  disconnect: ({ connection }) => connection.disconnect(),
  suspend: ({ connection }) => connection.suspend(),
  wake: ({ connection }) => connection.wake(false),
  'wake, network changed': ({ connection }) => connection.wake(true),
  prepared: (bench) => bench.prepared(),
  'prepare: unavailable': (bench) => bench.prepares.at(-1)?.reject(new ChatClientError('unavailable')),
  'prepare: token refused': (bench) => bench.prepares.at(-1)?.reject(new ChatClientError('bad_token')),
  'prepare: forbidden': (bench) => bench.prepares.at(-1)?.reject(new ChatClientError('forbidden')),
  ready: ({ main }) => main?.frame('channel.ready'),
  'closed 1006': ({ main }) => main?.end(1006),
  'closed 1012': ({ main }) => main?.end(1012),
  'closed 4401': ({ main }) => main?.end(4401),
  'closed 4503': ({ main }) => main?.end(4503),
  'closed 4529': ({ main }) => main?.end(4529),
  'replacement ready': ({ open }) => open[1]?.frame('channel.ready'),
  'replacement closed': ({ open }) => open[1]?.end(1006),
  'timer: retry': ({ clock, connection: { state } }) =>
    clock.advance('retryAt' in state ? state.retryAt - clock.now() : 0),
  'timer: probe': async (bench) => {
    bench.main?.end(4529);
    await bench.prepared();
    await settle();
    await bench.clock.advance(60_000);
  },
  'timer: renewal': async ({ clock, renewals }) => {
    await clock.advance(RENEW_MS);
    renewals.at(-1)?.resolve();
  },
  'timer: goodbye': async ({ main, clock }) => {
    main?.frame('channel.goodbye', { reconnect_in_ms: 1_000 });
    await clock.advance(1_000);
  },
  'timer: not ready in time': ({ clock }) => clock.advance(10_000),
  'timer: no answer to a ping': ({ clock }) => clock.advance(30_000 - SILENT_MS),
  'late: prepared': (_, { attempt }) => attempt.resolve(),
  'late: renewed': (_, { renewal }) => renewal.resolve(),
  'late: a frame of a connection that was left': (_, { left }) => {
    for (const type of ['channel.ready', 'chat.message', 'channel.goodbye']) left.frame(type, { reconnect_in_ms: 0 });
  },
  'late: its end': (_, { left }) => left.end(1006),
};

async function reach(phase: Phase, event?: Event) {
  const { bench, ...past } = await withPast();
  if (event === 'timer: renewal') bench.renewInMs = RENEW_MS;
  await REACH[phase](bench, event === 'timer: no answer to a ping' ? SILENT_MS : 0);
  await settle();
  expect(bench.phase).toBe(phase);
  bench.record = [];
  return { bench, past };
}

describe.each(ALL_PHASES)('a connection that is %s', (phase) => {
  it('runs the timers of this phase, and no others', async () => {
    const { bench } = await reach(phase);
    expect(bench.timers.size).toBe(TIMERS[phase]);
  });

  // A timer that does not run in this phase cannot be awaited; the test above shows that none does.
  const possible = ALL_EVENTS.filter((event) => !(event.startsWith('timer:') && TRANSITIONS[event][phase] === '–'));
  it.each(possible)('on `%s` does what the table says', async (event) => {
    const cell = TRANSITIONS[event][phase];
    const { bench, past } = await reach(phase, event);
    const { state } = bench.connection;
    const timers = bench.timers.size;
    await HAPPEN[event](bench, past);
    await settle();
    if (cell === '–' || cell === 'ignored') {
      expect(bench.record).toEqual([]);
      expect(bench.connection.state).toBe(state);
      expect(bench.timers.size).toBe(timers);
    } else {
      expect(bench.phase, bench.record.join(', ')).toBe(cell);
      expect(bench.record).toEqual(EFFECTS[event]?.[phase]);
    }
  });
});

/** What can come next without time passing, except for the wait itself. */
const NEXT = ALL_EVENTS.filter((event) => !/^(?:timer|late):/.test(event) || /goodbye|retry/.test(event));
/** Where more than the phase decides what follows: event, phase, next event → the phase after it. */
const REMEMBERED: Readonly<Record<string, Phase>> = {
  // The second refusal of a token counts.
  'prepare: token refused → preparing → prepare: token refused': 'stopped',
  'closed 4401 → preparing → prepare: token refused': 'stopped',
  // No connection is available: plain REST is used, which needs no opening.
  'closed 4529 → preparing → prepared': 'online',
};

it('each outcome of the table continues as from its phase', async () => {
  const wrong: string[] = [];
  let walked = 0;
  for (const phase of ALL_PHASES)
    for (const event of ALL_EVENTS) {
      const middle = TRANSITIONS[event][phase];
      // A probe starts from plain REST, where the test has no main connection to hold.
      if (middle === '–' || middle === 'ignored' || event === 'timer: probe') continue;
      for (const next of NEXT) {
        const cell = TRANSITIONS[next][middle];
        if (cell === '–' && next.startsWith('timer:')) continue;
        const { bench, past } = await reach(phase, event);
        for (const one of [event, next]) {
          await HAPPEN[one](bench, past);
          await settle();
        }
        walked += 1;
        const expected =
          REMEMBERED[`${event} → ${middle} → ${next}`] ?? (cell === '–' || cell === 'ignored' ? middle : cell);
        if (bench.phase !== expected) wrong.push(`${phase}, ${event}, ${next}: ${bench.phase}, not ${expected}`);
        bench.connection.disconnect();
      }
    }
  expect(wrong).toEqual([]);
  expect(walked).toBeGreaterThan(900);
});

it('the table in docs/sdk.md is the one tested here', () => {
  const text = readFileSync(new URL('../../../../docs/sdk.md', import.meta.url), 'utf8');
  expect(text.replaceAll(/ +\|/g, ' |')).toContain(renderTable());
});

it('[BES26] [BES27] requests the channel again even if 4530 came while plain REST failed', async () => {
  const bench = new Bench();
  const { clock, connection } = bench;
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      await clock.advance(500);
      await bench.prepared();
    }
  };
  await bench.openMain();
  // Only plain REST works.
  for (let passed = 0; passed < 60 && connection.state.status !== 'online'; passed += 1) {
    bench.main?.end(1006);
    await pass(1_000);
  }
  expect(connection.state).toMatchObject({ status: 'online', transport: 'rest', limited: false });
  for (let passed = 0; passed < 600 && bench.main === undefined; passed += 1) await pass(500);
  // The process restarts while a WebSocket is being opened, which then replaces the polling.
  bench.restFails = true;
  await pass(6_000);
  bench.restFails = false;
  expect(connection.state).toMatchObject({ status: 'connecting', transport: 'websocket' });
  bench.main?.end(4530);
  await pass(1_000);
  expect(connection.state).toMatchObject({ status: 'online', transport: 'rest', limited: true });
  expect(bench.main).toBeUndefined();
  for (let passed = 0; passed < 76_000 && bench.main === undefined; passed += 500) await pass(500);
  expect(bench.main).toBeDefined();
  bench.main?.frame('channel.ready');
  await pass(500);
  expect(connection.state).toMatchObject({ status: 'online', transport: 'websocket', limited: false });
  connection.disconnect();
});
