import { describe, expect, it } from 'vitest';
import { range } from '../testing/socket-client.ts';
import { VirtualGateway, type VirtualSetup } from '../testing/virtual-gateway.ts';

function withSessions(count: number, setup: VirtualSetup = {}): VirtualGateway {
  const gateway = new VirtualGateway(setup);
  for (const id of range(1, count)) gateway.ledger.createSession(id);
  return gateway;
}

describe('during an outage', () => {
  it('[DEG3] missing ticks are treated as an impaired live path, until they arrive again', async () => {
    const gateway = withSessions(1, { ticks: false, config: { headCheckSeconds: 60 } });
    const client = gateway.customer(1);
    await gateway.advance(2_500);
    expect(client.of('channel.degraded')).toEqual([]);
    await gateway.advance(2_500);
    expect(client.of('channel.degraded').map(({ data }) => data)).toEqual([{ reason: 'live_path_silent' }]);
    expect(client.of('channel.restored')).toEqual([]);
    gateway.ledger.startTicks(500);
    await gateway.advance(2_000);
    expect(client.of('channel.restored')).toHaveLength(1);
    await gateway.stop();
  });

  it('[DEG3] the live path is monitored, and heads are checked, on a clock that nobody can set', async () => {
    const gateway = withSessions(1, { ticks: false, config: { headCheckSeconds: 10 } });
    const client = gateway.customer(1);
    await gateway.advance(1_000);
    gateway.clock.setWall(-300_000);
    const asked = gateway.ledger.requests.length;
    await gateway.advance(9_000);
    expect(client.of('channel.degraded')).toHaveLength(1);
    expect(gateway.ledger.requests.length).toBeGreaterThan(asked + 2);
    await gateway.stop();
  });

  it('[DEG4] a client that connects while the fan-out does not answer is served, and the gap is read once it does', async () => {
    const gateway = withSessions(1, { config: { headCheckSeconds: 60 } });
    let answer: () => void = () => undefined;
    gateway.fanout.hold = new Promise((resolve) => {
      answer = resolve;
    });
    const client = gateway.customer(1, 0);
    await gateway.advance(3_000);
    expect(client.seqs).toEqual([1]);
    gateway.ledger.post(1, 'heard by nobody');
    await gateway.advance(5_000);
    expect(client.seqs).toEqual([1]);
    answer();
    await gateway.advance(1_000);
    expect(client.seqs).toEqual([1, 2]);
    gateway.ledger.post(1, 'live');
    await gateway.advance(100);
    expect(client.seqs).toEqual([1, 2, 3]);
    await gateway.stop();
  });

  it('[DEG2] [DEG3] [DEG4] chat-service provides events while the live path is down, and clients are notified', async () => {
    const gateway = withSessions(2, { config: { headCheckSeconds: 60 } });
    const { ledger, fanout } = gateway;
    const client = gateway.customer(1);
    await gateway.advance(1_000);
    fanout.disconnect();
    await gateway.advance(1_000);
    expect(client.of('channel.degraded').map(({ data }) => data)).toEqual([{ reason: 'fanout_disconnected' }]);
    ledger.post(1, 'without redis');
    const newcomer = gateway.customer(2, 0);
    await gateway.advance(3_000);
    ledger.post(2, 'also for who came meanwhile');
    await gateway.advance(3_000);
    expect([client.seqs, newcomer.seqs]).toEqual([[2], [1, 2]]);
    ledger.post(1, 'just before');
    fanout.reconnect();
    await gateway.advance(1_000);
    expect(client.seqs).toEqual([2, 3]);
    await gateway.advance(2_000);
    expect(client.of('channel.restored')).toHaveLength(1);
    ledger.post(2, 'live again');
    await gateway.advance(100);
    expect(newcomer.seqs).toEqual([1, 2, 3]);
    await gateway.stop();
  });

  it('[BES22] missing ticks are no impairment if none are sent, and do not increase head checks', async () => {
    const gateway = withSessions(1, { ticks: false, config: { ticks: false, headCheckSeconds: 10 } });
    const client = gateway.customer(1);
    await gateway.advance(1_000);
    const before = gateway.ledger.requests.length;
    await gateway.advance(60_000);
    expect(client.of('channel.degraded')).toEqual([]);
    expect(client.of('channel.ready')).toHaveLength(1);
    expect(gateway.ledger.requests.length - before).toBeLessThanOrEqual(8);
    await gateway.stop();
  });

  it('[DEG5] connections are kept while chat-service is unavailable, and clients that connected meanwhile are served', async () => {
    const gateway = withSessions(2);
    const { ledger } = gateway;
    const before = gateway.customer(1);
    await gateway.advance(1_000);
    ledger.latencyMs = -1;
    const meanwhile = gateway.customer(2, 0);
    ledger.post(1, 'live goes on');
    await gateway.advance(2_500);
    expect(before.seqs).toEqual([2]);
    expect([meanwhile.closed, meanwhile.frames]).toEqual([null, []]);
    ledger.latencyMs = 0;
    await gateway.advance(5_000);
    expect(meanwhile.seqs).toEqual([1]);
    expect(before.closed).toBeNull();
    await gateway.stop();
  });

  it('[DEG5] an instance that answers from a replaced database counts as unavailable', async () => {
    const gateway = withSessions(1);
    const { ledger, metrics, core } = gateway;
    gateway.customer(1);
    await gateway.advance(1_000);
    ledger.epoch = 'epoch-2';
    await gateway.clock.until(() => (core.epoch.current === 'epoch-2' ? true : undefined), 'the new database');
    const client = gateway.customer(1);
    await gateway.advance(1_000);
    // Of two instances behind a load balancer, only the one that missed the restore is left.
    ledger.epoch = 'epoch-1';
    gateway.customer(1);
    await gateway.advance(1_000);
    const { 'catchup failed': failedAtFirst = 0 } = metrics.counts;
    await gateway.advance(10_000);
    expect(client.of('channel.degraded').map(({ data }) => data)).toEqual([{ reason: 'source_unavailable' }]);
    expect(core.loop.failingSince).toBeGreaterThan(0);
    // The wait grows to 3 s.
    expect((metrics.counts['catchup failed'] ?? 0) - failedAtFirst).toBeLessThanOrEqual(8);
    ledger.epoch = 'epoch-2';
    await gateway.advance(4_000);
    expect(client.of('channel.restored')).toHaveLength(1);
    await gateway.stop();
  });

  it('[DEG6] one call covers all idle connections', async () => {
    const gateway = withSessions(31, { config: { headCheckSeconds: 1 } });
    const clients = range(1, 31).map((id) => gateway.customer(id));
    await gateway.advance(1_000);
    expect(clients.filter((client) => client.of('channel.ready').length === 1)).toHaveLength(31);
    const before = gateway.ledger.requests.length;
    await gateway.advance(10_000);
    const calls = gateway.ledger.requests.slice(before).filter(({ sessions }) => sessions.length > 0);
    expect(calls.length).toBeGreaterThanOrEqual(5);
    expect(calls.length).toBeLessThanOrEqual(14);
    expect(calls.map(({ sessions }) => sessions.length)).toEqual(calls.map(() => 31));
    await gateway.stop();
  });
});
