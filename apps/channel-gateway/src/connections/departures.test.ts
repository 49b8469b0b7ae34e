import { describe, expect, it } from 'vitest';
import { RecordedPoll, RecordedSocket } from '../testing/recorded-transport.ts';
import { customer, registryUnderTest } from '../testing/registry-under-test.ts';
import { Departures } from './departures.ts';
import { Polls } from './polls.ts';

function departuresUnderTest({ drainSeconds = 20, random = 0.5 } = {}) {
  const under = registryUnderTest();
  const { clock, registry } = under;
  const polls = new Polls({ clock, registry, isDraining: () => departures.draining, headOf: () => 7 });
  const departures: Departures = new Departures({ clock, random: () => random, registry, polls, drainSeconds });
  const come = () => {
    const transport = new RecordedSocket();
    const connection = registry.open(transport);
    connection.admit(customer(1));
    connection.goLive();
    return { transport, connection };
  };
  return { ...under, departures, come };
}

describe('a drain', () => {
  it('[DRN1] tells each its moment and leaves it open until then', async () => {
    const { departures, come, clock } = departuresUnderTest();
    const { transport, connection } = come();
    void departures.drain();
    await clock.advance(0);
    expect(departures.draining).toBe(true);
    expect(transport.frames).toEqual([{ type: 'channel.goodbye', data: { reconnect_in_ms: 10_000 } }]);
    expect([connection.leaveAt, connection.isLive, transport.closed]).toEqual([10_000, true, null]);
  });

  it('[POLL7] answers the polls that wait at once', async () => {
    const { departures, registry, clock } = departuresUnderTest();
    const transport = new RecordedPoll(25_000);
    const connection = registry.open(transport);
    connection.admit(customer(1));
    connection.goLive();
    void departures.drain();
    await clock.advance(0);
    expect(transport.answer).toEqual({ lastSeq: 7, hasMore: false });
  });

  it('is over as soon as everybody is gone', async () => {
    const { departures, come, clock, registry } = departuresUnderTest();
    const { connection } = come();
    let over = false;
    void departures.drain().then(() => {
      over = true;
    });
    await clock.advance(1_000);
    expect(over).toBe(false);
    registry.closed(connection, 1012);
    await clock.advance(50);
    expect(over).toBe(true);
  });

  it('ends even if a client never leaves', async () => {
    const { departures, come, clock } = departuresUnderTest({ drainSeconds: 2 });
    come();
    let over = false;
    void departures.drain().then(() => {
      over = true;
    });
    await clock.advance(3_400);
    expect(over).toBe(false);
    await clock.advance(150);
    expect(over).toBe(true);
  });
});

describe('those whose cursors mean nothing any more', () => {
  it('are taken out of their stream before their moment', () => {
    const { departures, come, detached } = departuresUnderTest();
    const { connection, transport } = come();
    departures.sendAway([connection]);
    expect([connection.state.kind, detached, transport.closed]).toEqual(['leaving', [connection], null]);
  });

  it('come back over a time that grows with their number, and no longer than a drain takes', () => {
    const { departures, come } = departuresUnderTest({ drainSeconds: 1, random: 1 });
    const first = come();
    departures.sendAway([first.connection]);
    expect(first.connection.leaveAt).toBe(510);
    const many = Array.from({ length: 99 }, come);
    departures.sendAway(many.map(({ connection }) => connection));
    expect(many[0]?.connection.leaveAt).toBe(1_000);
  });

  it('only concern connections that have received `channel.ready`', () => {
    const { departures, registry } = departuresUnderTest();
    const connection = registry.open(new RecordedSocket());
    departures.sendAway(registry);
    expect([connection.state.kind, connection.leaveAt]).toEqual(['authenticating', Number.POSITIVE_INFINITY]);
  });
});
