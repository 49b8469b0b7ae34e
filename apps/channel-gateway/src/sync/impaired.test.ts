import { describe, expect, it } from 'vitest';
import { range } from '../testing/socket-client.ts';
import { VirtualGateway, type VirtualSetup } from '../testing/virtual-gateway.ts';

function withSessions(count: number, setup: VirtualSetup = {}): VirtualGateway {
  const gateway = new VirtualGateway(setup);
  for (const id of range(1, count)) gateway.ledger.createSession(id);
  return gateway;
}

describe('while a part is away', () => {
  it('[DEG3] missing ticks are taken as an impaired live path, until they come again', async () => {
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

  it('[BES22] no ticks are no impairment where none are sent, and heads are checked no more often for it', async () => {
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

  it('[DEG5] connections are kept while chat-service is away, and who came meanwhile is served', async () => {
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

  it('[DEG6] one call asks for all idle connections', async () => {
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
