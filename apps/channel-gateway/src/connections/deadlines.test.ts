import { describe, expect, it } from 'vitest';
import { RecordedSocket } from '../testing/recorded-transport.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

function withSession(config = {}): VirtualGateway {
  const gateway = new VirtualGateway({ config });
  gateway.ledger.createSession(1);
  return gateway;
}

describe('the deadlines of a connection', () => {
  it('[WS10] end it when its token expires, within a second', async () => {
    const gateway = withSession();
    const client = gateway.customer(1);
    await gateway.advance(3_598_000);
    expect(client.closed).toBeNull();
    await gateway.advance(2_300);
    expect(client.closed).toBe('token_expired');
  }, 60_000);

  it('[WS12] ping it, and close it when two pings go unanswered', async () => {
    const gateway = withSession({ pingIntervalSeconds: 30 });
    const [alive, dead] = [gateway.customer(1), gateway.customer(1)];
    dead.answersPings = false;
    await gateway.advance(100_000);
    expect([alive.closed, dead.closed]).toEqual([null, 'timeout']);
    expect(alive.pings).toBeGreaterThanOrEqual(3);
    expect(dead.pings).toBe(2);
  });

  it('[LIM5] give its slot to a newcomer once it has missed a pong, and not before', async () => {
    const gateway = withSession({ pingIntervalSeconds: 30, maxTabsPerSession: 1 });
    const deaf = gateway.customer(1);
    deaf.answersPings = false;
    await gateway.advance(1_000);
    const early = gateway.customer(1);
    await gateway.advance(100);
    expect([deaf.closed, early.closed]).toEqual([null, 'connection_limit']);
    await gateway.clock.until(() => deaf.connection.missedPongs || undefined, 'a missed pong', 90_000);
    const late = gateway.customer(1);
    await gateway.advance(100);
    expect([deaf.closed, late.closed]).toEqual(['timeout', null]);
  });

  it('[WS4] [CLS7] give it five seconds to authenticate', async () => {
    const gateway = withSession();
    const transport = new RecordedSocket();
    gateway.core.edge.open(transport, null);
    await gateway.advance(4_900);
    expect(transport.closed).toBeNull();
    await gateway.advance(300);
    expect(transport.closed).toBe('timeout');
  });

  it('close it if it gets no `channel.ready` within fifteen seconds', async () => {
    const gateway = withSession();
    gateway.ledger.latencyMs = 60_000;
    const waiting = gateway.customer(1);
    await gateway.advance(14_000);
    expect(waiting.closed).toBeNull();
    await gateway.advance(1_500);
    expect(waiting.closed).toBe('try_again_later');
  });

  it('do not count time in which the gateway itself stood still', async () => {
    const gateway = withSession();
    gateway.ledger.latencyMs = 1_000;
    const waiting = gateway.customer(1);
    await gateway.advance(500);
    gateway.clock.freeze(40_000);
    await gateway.advance(2_000);
    expect(waiting.closed).toBeNull();
    expect(waiting.of('channel.ready')).toHaveLength(1);
  });

  it('[CLS4] close it when its reader takes nothing for ten seconds, but not when it is merely slow', async () => {
    const gateway = withSession();
    const [stuck, slow] = [gateway.customer(1), gateway.customer(1)];
    await gateway.advance(500);
    for (const client of [stuck, slow]) client.isSlow = true;
    for (let second = 0; second < 14; second += 1) {
      gateway.ledger.post(1, 'x');
      await gateway.advance(1_000);
      slow.drain();
      slow.isSlow = true;
    }
    expect([stuck.closed, slow.closed]).toEqual(['slow_consumer', null]);
  });
});

describe('a drain', () => {
  it('[DRN1] gives each connection its own time, serves it until then, and ends in time', async () => {
    const gateway = withSession({ drainSeconds: 20 });
    const clients = Array.from({ length: 40 }, () => gateway.customer(1));
    await gateway.advance(1_000);
    let over = false;
    void gateway.core.disconnects.drain().then(() => {
      over = true;
    });
    await gateway.advance(10);
    gateway.ledger.post(1, 'still served');
    await gateway.advance(5);
    const moments = clients.map((client) => Number(client.of('channel.goodbye')[0]?.data['reconnect_in_ms']));
    expect(Math.max(...moments)).toBeLessThanOrEqual(20_000);
    expect(new Set(moments.map((ms) => Math.floor(ms / 2_000))).size).toBeGreaterThanOrEqual(6);
    expect(clients.every(({ seqs }) => seqs.includes(2))).toBe(true);
    await gateway.advance(21_600);
    expect(over).toBe(true);
    expect(new Set(clients.map(({ closed }) => closed))).toEqual(new Set(['service_restart']));
  });
});
