import { createMemoryLeases, type Leases, UnavailableError } from '@chat-realtime/messaging';
import { describe, expect, it } from 'vitest';
import { RecordedPoll, RecordedSocket } from '../testing/recorded-transport.ts';
import { customer, registryUnderTest } from '../testing/registry-under-test.ts';
import { jsonFrame } from './encoding.ts';

const RESTORED = { type: 'channel.restored', data: {} } as const;

/** A store of slots of which the test replaces one call. */
function leasesWith(changed: Partial<Leases>): Leases {
  return {
    mode: 'cluster',
    acquire: async () => ({ kind: 'granted', displaced: [] }),
    release: async () => undefined,
    setStale: async () => undefined,
    close: async () => undefined,
    ...changed,
  };
}

function withOne(leases?: Leases) {
  const under = registryUnderTest(leases);
  const transport = new RecordedSocket();
  const connection = under.registry.open(transport);
  return { ...under, transport, connection };
}

describe('an end that the gateway begins', () => {
  it('sends the reason to the peer once, and is counted once', () => {
    const { registry, connection, transport, metrics, detached } = withOne();
    registry.close(connection, 'revoked');
    registry.close(connection, 'internal_error');
    expect(transport.closed).toBe('revoked');
    expect(metrics.counts).toEqual({ 'disconnected 4505': 1 });
    expect(detached).toEqual([connection]);
  });

  it('waits five seconds for the peer’s answer', () => {
    const { registry, connection, clock } = withOne();
    registry.close(connection, 'revoked');
    expect(connection.state).toEqual({ kind: 'closing', deadline: clock.now() + 5_000 });
    expect(registry.get(connection.id)).toBe(connection);
  });

  it('is complete with that answer, which is not counted again', () => {
    const { registry, connection, metrics, detached } = withOne();
    registry.close(connection, 'revoked');
    registry.closed(connection, 1006);
    expect(registry.size).toBe(0);
    expect(connection.state.kind).toBe('closed');
    expect(metrics.counts).toEqual({ 'disconnected 4505': 1 });
    expect(detached).toHaveLength(1);
  });
});

describe('an end that the peer begins', () => {
  it('is counted by its code and completes at once', () => {
    const { registry, connection, metrics, detached } = withOne();
    registry.closed(connection, 1001);
    expect([...registry]).toEqual([]);
    expect(metrics.counts).toEqual({ 'disconnected 1001': 1 });
    expect(detached).toEqual([connection]);
  });

  it('happens once, even if it is reported twice', () => {
    const { registry, connection, metrics, detached } = withOne();
    registry.closed(connection, 1001);
    registry.closed(connection, 1006);
    expect(metrics.counts).toEqual({ 'disconnected 1001': 1 });
    expect(detached).toHaveLength(1);
  });

  it('is not answered by a close of ours', () => {
    const { registry, connection, transport } = withOne();
    registry.closed(connection, 1001);
    registry.close(connection, 'revoked');
    expect(transport.closed).toBeNull();
  });
});

describe('the slot of a connection', () => {
  it('is free for another connection at its end', async () => {
    const leases = createMemoryLeases();
    const { registry, connection, clock } = withOne(leases);
    await leases.acquire({ key: 'session:1', limit: 1, holder: connection.id });
    connection.holdLease('session:1');
    registry.close(connection, 'revoked');
    await clock.advance(0);
    expect(await leases.acquire({ key: 'session:1', limit: 1, holder: 'next' })).toMatchObject({ kind: 'granted' });
  });

  it('is given back once, whoever ends the connection', async () => {
    const released: string[] = [];
    const leases = leasesWith({ release: async (key) => void released.push(key) });
    const { registry, connection, clock } = withOne(leases);
    connection.holdLease('session:1');
    registry.close(connection, 'revoked');
    registry.closed(connection, 1000);
    await clock.advance(0);
    expect(released).toEqual(['session:1']);
  });

  it('may be lost with its store: the connection still ends', async () => {
    const leases = leasesWith({ release: () => Promise.reject(new UnavailableError('redis')) });
    const { registry, connection, clock } = withOne(leases);
    connection.holdLease('session:1');
    registry.closed(connection, 1000);
    await clock.advance(0);
    expect(registry.size).toBe(0);
  });
});

describe('a fault in handling one connection', () => {
  it('ends only that connection', () => {
    const { registry, connection, transport } = withOne();
    const other = new RecordedSocket();
    registry.open(other);
    registry.guard(connection, () => {
      throw new Error('it failed');
    });
    expect([transport.closed, other.closed]).toEqual(['internal_error', null]);
  });
});

describe('ending many', () => {
  it('ends the matching ones, with one reason', () => {
    const { registry, connection, transport } = withOne();
    const other = new RecordedSocket();
    registry.open(other);
    connection.admit(customer(7));
    registry.closeAll('service_restart', ({ principal }) => principal !== null);
    expect([transport.closed, other.closed]).toEqual(['service_restart', null]);
  });
});

describe('a slow reader', () => {
  it('[CLS4] is disconnected after ten seconds, and may resume at any time', () => {
    const { registry, connection, transport, metrics } = withOne();
    connection.goLive();
    transport.queuedBytes = 50;
    registry.send(connection, RESTORED);
    registry.shedSlow(10_000);
    expect(transport.closed).toBeNull();
    registry.shedSlow(10_001);
    expect(transport.closed).toBe('slow_consumer');
    expect(metrics.counts['slow']).toBe(1);
  });

  it('is not examined while every write leaves at once', () => {
    const { registry, connection, transport } = withOne();
    connection.goLive();
    registry.send(connection, RESTORED);
    transport.queuedBytes = 50;
    registry.shedSlow(60_000);
    expect(transport.closed).toBeNull();
    expect(registry.queuedBytes).toBe(0);
  });

  it('is forgotten with its connection', () => {
    const { registry, connection, transport } = withOne();
    connection.goLive();
    transport.queuedBytes = 50;
    registry.send(connection, RESTORED);
    expect(registry.queuedBytes).toBe(50);
    registry.closed(connection, 1006);
    expect(registry.queuedBytes).toBe(0);
  });
});

describe('a broadcast', () => {
  it('reaches connections that had `channel.ready`, and no others', () => {
    const { registry, connection, transport } = withOne();
    const early = new RecordedSocket();
    const catching = registry.open(early);
    connection.goLive();
    catching.catchUp({ kind: 'head' });
    registry.sendToAll(jsonFrame(RESTORED));
    catching.reach(3);
    registry.sendToAll(jsonFrame(RESTORED));
    expect([transport.frames.length, early.frames.length]).toEqual([2, 1]);
  });

  it('does not reach a poll, whose answer contains only events', () => {
    const { registry } = registryUnderTest();
    const transport = new RecordedPoll(1_000);
    const connection = registry.open(transport);
    connection.goLive();
    registry.sendToAll(jsonFrame(RESTORED));
    expect(transport.enqueuedBytes).toBe(0);
  });
});

describe('a connection that is removed from its stream', () => {
  it('receives nothing from its stream any more and stays open', () => {
    const { registry, connection, transport, detached } = withOne();
    connection.goLive();
    registry.takeOut(connection);
    expect(detached).toEqual([connection]);
    expect([connection.state.kind, transport.closed]).toEqual(['leaving', null]);
    expect(registry.size).toBe(1);
  });
});

describe('the slot of a connection that missed a pong', () => {
  it('[LIM5] is marked as available to newcomers, and unmarked', async () => {
    const marks: [string, boolean][] = [];
    const leases = leasesWith({ setStale: async (key, _holder, stale) => void marks.push([key, stale]) });
    const { registry, connection } = withOne(leases);
    await registry.setStale(connection, true);
    connection.holdLease('session:1');
    await registry.setStale(connection, true);
    await registry.setStale(connection, false);
    // A slot that was given back belongs to another connection.
    registry.close(connection, 'timeout');
    await registry.setStale(connection, true);
    expect(marks).toEqual([
      ['session:1', true],
      ['session:1', false],
    ]);
  });
});
