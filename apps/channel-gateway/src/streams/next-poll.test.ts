import { createMemoryLeases, type Leases } from '@chat-realtime/messaging';
import { expect, it } from 'vitest';
import { type Clock, pause } from '../clock.ts';
import { range } from '../testing/socket-client.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

/** A gateway with a store that is slow to give a slot back. */
function slowToRelease(clock: Clock, ms: number): Leases {
  const inner = createMemoryLeases();
  return {
    acquire: (request) => inner.acquire(request),
    release: async (key, holder) => {
      await pause(clock, ms);
      await inner.release(key, holder);
    },
    setStale: (key, holder, stale) => inner.setStale(key, holder, stale),
    get mode() {
      return inner.mode;
    },
    close: () => inner.close(),
  };
}

it('[LIM1] [POLL1] a session with all its tabs open can poll another gateway as soon as it has an answer', async () => {
  const clock = new VirtualClock();
  const config = { maxTabsPerSession: 5 };
  const shared = { clock, config, leases: slowToRelease(clock, 60) };
  const first = new VirtualGateway(shared);
  const { ledger, fanout } = first;
  const second = new VirtualGateway({ ...shared, fanout, source: ledger, ticks: false });
  ledger.createSession(1);
  for (const tab of range(1, 4)) {
    first.customer(1);
    await clock.advance(tab);
  }
  for (const round of range(1, 4)) {
    const poll = (round % 2 === 0 ? first : second).customer(1, round, 'poll', 10_000);
    await clock.advance(200);
    expect([poll.isOver, poll.connection.isReadySent]).toEqual([false, true]);
    ledger.post(1, `message ${round}`);
    await clock.until(() => poll.answer ?? undefined, 'the answer');
    expect(poll.seqs).toEqual([round + 1]);
  }
  for (const gateway of [first, second]) await gateway.stop();
});

it('[RES5] a client is not judged by a response that was requested before it connected', async () => {
  const gateway = new VirtualGateway();
  const { ledger, clock } = gateway;
  ledger.createSession(1);
  gateway.customer(1);
  await gateway.advance(1_000);
  const before = ledger.requests.length;
  ledger.answerDelayMs = 400;
  gateway.customer(1);
  const isAsked = (): true | undefined =>
    ledger.requests.slice(before).some(({ sessions }) => sessions.length > 0) || undefined;
  await clock.until(isAsked, 'the call to be on its way');
  // Another gateway sent these events; here the live path lost them.
  ledger.fault = () => ({ copies: 0, delayMs: 0 });
  const { seq } = ledger.post(1, 'shown elsewhere');
  const [poll, socket] = [gateway.customer(1, seq, 'poll'), gateway.customer(1, seq)];
  await gateway.advance(2_000);
  expect([poll.refusal, poll.answer, poll.frames]).toEqual([null, { lastSeq: seq, hasMore: false }, []]);
  expect(socket.of('channel.ready')[0]?.data).toMatchObject({ from_seq: seq });
  expect(socket.of('channel.reset')).toEqual([]);
  await gateway.stop();
});
