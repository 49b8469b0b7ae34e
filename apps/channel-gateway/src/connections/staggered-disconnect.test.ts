import { describe, expect, it } from 'vitest';
import { RecordedPoll, RecordedSocket } from '../testing/recorded-transport.ts';
import { customer, registryUnderTest } from '../testing/registry-under-test.ts';
import { StaggeredDisconnect } from './staggered-disconnect.ts';
import { Polls } from './polls.ts';

function disconnectsUnderTest({ drainSeconds = 20, random = 0.5 } = {}) {
  const under = registryUnderTest();
  const { clock, registry } = under;
  const polls = new Polls({ clock, registry, isDraining: () => disconnects.draining, headOf: () => 7 });
  const disconnects: StaggeredDisconnect = new StaggeredDisconnect({
    clock,
    random: () => random,
    registry,
    polls,
    drainSeconds,
  });
  const come = () => {
    const transport = new RecordedSocket();
    const connection = registry.open(transport);
    connection.admit(customer(1));
    connection.goLive();
    return { transport, connection };
  };
  return { ...under, disconnects, come };
}

describe('a drain', () => {
  it('[DRN1] gives each client its time and leaves it open until then', async () => {
    const { disconnects, come, clock } = disconnectsUnderTest();
    const { transport, connection } = come();
    void disconnects.drain();
    await clock.advance(0);
    expect(disconnects.draining).toBe(true);
    expect(transport.frames).toEqual([{ type: 'channel.goodbye', data: { reconnect_in_ms: 10_000 } }]);
    expect([connection.leaveAt, connection.isLive, transport.closed]).toEqual([10_000, true, null]);
  });

  it('[POLL7] answers waiting polls at once', async () => {
    const { disconnects, registry, clock } = disconnectsUnderTest();
    const transport = new RecordedPoll(25_000);
    const connection = registry.open(transport);
    connection.admit(customer(1));
    connection.goLive();
    void disconnects.drain();
    await clock.advance(0);
    expect(transport.answer).toEqual({ lastSeq: 7, hasMore: false });
  });

  it('ends as soon as everybody has left', async () => {
    const { disconnects, come, clock, registry } = disconnectsUnderTest();
    const { connection } = come();
    let over = false;
    void disconnects.drain().then(() => {
      over = true;
    });
    await clock.advance(1_000);
    expect(over).toBe(false);
    registry.closed(connection, 1012);
    await clock.advance(50);
    expect(over).toBe(true);
  });

  it('ends even if a client never leaves', async () => {
    const { disconnects, come, clock } = disconnectsUnderTest({ drainSeconds: 2 });
    come();
    let over = false;
    void disconnects.drain().then(() => {
      over = true;
    });
    await clock.advance(3_400);
    expect(over).toBe(false);
    await clock.advance(150);
    expect(over).toBe(true);
  });
});

describe('clients whose cursors have become invalid', () => {
  it('are removed from their stream before their time', () => {
    const { disconnects, come, detached } = disconnectsUnderTest();
    const { connection, transport } = come();
    disconnects.sendAway([connection]);
    expect([connection.state.kind, detached, transport.closed]).toEqual(['leaving', [connection], null]);
  });

  it('return over a period that grows with their number, and is no longer than a drain', () => {
    const { disconnects, come } = disconnectsUnderTest({ drainSeconds: 1, random: 1 });
    const first = come();
    disconnects.sendAway([first.connection]);
    expect(first.connection.leaveAt).toBe(510);
    const many = Array.from({ length: 99 }, come);
    disconnects.sendAway(many.map(({ connection }) => connection));
    expect(many[0]?.connection.leaveAt).toBe(1_000);
  });

  it('include only connections that have received `channel.ready`', () => {
    const { disconnects, registry } = disconnectsUnderTest();
    const connection = registry.open(new RecordedSocket());
    disconnects.sendAway(registry);
    expect([connection.state.kind, connection.leaveAt]).toEqual(['authenticating', Number.POSITIVE_INFINITY]);
  });
});
