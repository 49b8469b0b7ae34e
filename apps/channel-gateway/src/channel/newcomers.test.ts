import { createMemoryFanout, createMemoryLeases, type Leases } from '@chat-realtime/messaging';
import { afterEach, describe, expect, it } from 'vitest';
import {
  customerToken,
  type GatewaySetup,
  type GatewayUnderTest,
  startGateway,
} from '../testing/gateway-under-test.ts';
import { poll } from '../testing/http-clients.ts';
import { FakeChatService } from '../testing/fake-chat-service.ts';
import { eventually, SocketClient } from '../testing/socket-client.ts';

/** Over a store that takes its time to give a slot back. */
function slowToRelease(ms: number): Leases {
  const inner = createMemoryLeases();
  return {
    acquire: (request) => inner.acquire(request),
    release: async (key, holder) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      await inner.release(key, holder);
    },
    setStale: (key, holder, stale) => inner.setStale(key, holder, stale),
    get mode() {
      return inner.mode;
    },
    close: () => inner.close(),
  };
}

/** The whole process stands still, as under load or while it loads its modules. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('who comes next', () => {
  const started: GatewayUnderTest[] = [];
  const opened: SocketClient[] = [];
  const start = async (setup: GatewaySetup = {}): Promise<GatewayUnderTest> => {
    const under = await startGateway(setup);
    started.push(under);
    return under;
  };
  const customer = (under: GatewayUnderTest): SocketClient => {
    const client = new SocketClient(`${under.wsUrl}?session=1&token=${customerToken(1)}`);
    opened.push(client);
    return client;
  };
  const pollUrl = (under: GatewayUnderTest, more: string): string =>
    `${under.httpUrl}/channel/poll?session=1&token=${customerToken(1)}${more}`;

  afterEach(async () => {
    for (const client of opened.splice(0)) client.end();
    await Promise.all(started.splice(0).map((under) => under.close()));
  });

  it('[LIM1] [POLL1] a session with all its tabs open polls on at another gateway as soon as it was answered', async () => {
    const fanout = createMemoryFanout();
    const shared = { leases: slowToRelease(60), fanout, ledger: new FakeChatService(fanout) };
    shared.ledger.createSession(1);
    const first = await start(shared);
    const second = await start({ ...shared, ticks: false });
    await Promise.all([1, 2, 3, 4].map(() => customer(first).ready()));
    for (let round = 0; round < 4; round += 1) {
      const under = round % 2 === 0 ? second : first;
      const members = () => under.gateway.core.sessions.get(1)?.live.members.length ?? 0;
      const before = under === first ? 4 : 0;
      const seq = round + 1;
      const waiting = poll(pollUrl(under, `&last_seq=${seq}&wait=10`));
      await eventually(() => members() > before || undefined, 'the poll to wait');
      shared.ledger.post(1, `message ${round}`);
      const { status, body } = await waiting;
      expect([status, body]).toMatchObject([200, { events: [{ seq: seq + 1 }] }]);
    }
  });

  it('[RES5] is not judged by an answer that was asked for before it came', async () => {
    const under = await start();
    const { ledger } = under;
    ledger.createSession(1);
    await customer(under).ready();
    const before = ledger.requests.length;
    const isAsked = (): boolean => ledger.requests.slice(before).some(({ sessions }) => sessions.length > 0);
    ledger.answerDelayMs = 400;
    customer(under);
    await eventually(() => isAsked() || undefined, 'the call to be on its way');
    // Another gateway showed these; here the live path lost them.
    ledger.fault = () => ({ copies: 0, delayMs: 0 });
    const { seq } = ledger.post(1, 'shown elsewhere');
    const { status, body } = await poll(pollUrl(under, `&last_seq=${seq}&wait=0`));
    expect([status, body]).toMatchObject([200, { last_seq: seq, events: [] }]);
    const socket = new SocketClient(`${under.wsUrl}?session=1&token=${customerToken(1)}&last_seq=${seq}`);
    opened.push(socket);
    expect((await socket.ready()).data).toMatchObject({ from_seq: seq });
  });

  it('[CLS6] a gateway that stood still while it started takes clients at once', async () => {
    const under = await start({ judgesLoad: true });
    under.ledger.createSession(1);
    standStill(1_500);
    await customer(under).ready();
    expect(under.gateway.core.overloaded).toBe(false);
  });

  it('[CLS6] [POLL1] a gateway that stood still under its clients turns newcomers away, but answers polls', async () => {
    const under = await start({ judgesLoad: true });
    under.ledger.createSession(1);
    await customer(under).ready();
    const pass = async (): Promise<readonly [string | number, number]> => {
      // Until a tick has seen that somebody is there.
      await new Promise((resolve) => setTimeout(resolve, 300));
      standStill(1_500);
      await eventually(() => under.gateway.core.overloaded || undefined, 'the standstill to be noticed');
      const newcomer = customer(under);
      const code = Promise.race([newcomer.closed.then((close) => close.code), newcomer.ready().then(() => 'let in')]);
      const [outcome, { status }] = await Promise.all([code, poll(pollUrl(under, ''))]);
      newcomer.end();
      return [outcome, status];
    };
    let last = await pass();
    // On a busy machine the newcomer may come when the standstill is forgotten again, a second later.
    for (let more = 3; last[0] === 'let in' && more > 0; more -= 1) last = await pass();
    expect(last).toEqual([1013, 200]);
    await eventually(() => !under.gateway.core.overloaded || undefined, 'the load to be forgotten');
    await customer(under).ready();
  });
});
