import type { CatchupRequest, CatchupResponse, ChatSource } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { range } from '../testing/socket-client.ts';
import type { VirtualClient } from '../testing/virtual-client.ts';
import { VirtualGateway, type VirtualSetup } from '../testing/virtual-gateway.ts';

/** Heads are checked every second. `changed` replaces the answer of the ledger. */
function gatewayUnderTest(
  config: VirtualSetup['config'] = {},
  changed: (answer: CatchupResponse) => CatchupResponse = (answer) => answer,
): VirtualGateway {
  const source: ChatSource = {
    catchup: async (request: CatchupRequest) => changed(await gateway.ledger.catchup(request)),
    acks: (request) => gateway.ledger.acks(request),
  };
  const gateway: VirtualGateway = new VirtualGateway({ config: { headCheckSeconds: 1, ...config }, source });
  for (const id of [1, 2, 3]) gateway.ledger.createSession(id);
  return gateway;
}

const epochOf = (client: VirtualClient): unknown => client.of('channel.ready')[0]?.data['epoch'];
const restored = (gateway: VirtualGateway): Promise<true> =>
  gateway.clock.until(() => (gateway.core.epoch.current === 'epoch-2' ? true : undefined), 'the new database');

describe('a restore of the database', () => {
  it('[RES11] makes everybody reload over a period and shows nothing of the new history before', async () => {
    const gateway = gatewayUnderTest({ drainSeconds: 2 });
    const clients = range(1, 60).map(() => gateway.customer(1));
    const anna = gateway.staff('anna');
    await gateway.advance(500);
    gateway.ledger.epoch = 'epoch-2';
    await restored(gateway);
    expect(clients.filter((client) => client.of('channel.goodbye').length === 1)).toHaveLength(60);
    gateway.ledger.post(1, 'of the new history');
    const closedAt = new Map<VirtualClient, number>();
    for (let ms = 0; ms <= 2_200; ms += 50) {
      for (const client of clients) if (client.closed !== null && !closedAt.has(client)) closedAt.set(client, ms);
      await gateway.advance(50);
    }
    expect(new Set([...clients, anna].map(({ closed }) => closed))).toEqual(new Set(['service_restart']));
    // 61 clients over 1.1 s.
    const times = [...closedAt.values()];
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(300);
    expect(Math.max(...times)).toBeLessThanOrEqual(1_400);
    expect(clients.flatMap((client) => client.of('chat.message'))).toEqual([]);
    const back = gateway.customer(1);
    await gateway.advance(500);
    expect(epochOf(back)).toBe('epoch-2');
    await gateway.stop();
  });

  it('[RES11] disconnects nobody a second time if another chat-service still reports the previous epoch', async () => {
    let calls = 0;
    let split = false;
    // Two instances behind a load balancer; the second still uses the previous server.
    const gateway = gatewayUnderTest({}, (answer) => {
      calls += 1;
      return split && calls % 2 === 0 ? { ...answer, epoch: 'epoch-1' } : answer;
    });
    gateway.customer(1);
    await gateway.advance(500);
    gateway.ledger.epoch = 'epoch-2';
    await restored(gateway);
    split = true;
    const again = gateway.customer(1);
    const asked = calls;
    await gateway.advance(10_000);
    expect(calls).toBeGreaterThan(asked + 5);
    expect([epochOf(again), again.closed, gateway.core.epoch.current]).toEqual(['epoch-2', null, 'epoch-2']);
    await gateway.stop();
  });

  it('[REV7] closes for a revocation whose id is below those the gateway had read from the lost history', async () => {
    const gateway = gatewayUnderTest();
    const { ledger, core } = gateway;
    const first = gateway.staff('anna');
    await gateway.advance(500);
    for (const number of range(1, 80)) ledger.revoke('session', `${1_000 + number}`);
    await gateway.clock.until(() => (core.revocations.readUpTo === 80 ? true : undefined), 'all read');
    ledger.revocations.length = 0;
    ledger.epoch = 'epoch-2';
    await gateway.clock.until(() => first.closed ?? undefined, 'the restore');
    const [told, untold] = [gateway.staff('anna'), gateway.staff('boris')];
    await gateway.advance(1_000);
    expect([told.connection.isLive, untold.connection.isLive]).toEqual([true, true]);
    ledger.revoke('staff', 'anna');
    ledger.revoke('staff', 'boris', false);
    await gateway.advance(5_000);
    expect([told.closed, untold.closed]).toEqual(['revoked', 'revoked']);
    await gateway.stop();
  });

  it('[RES12] disconnects the clients of a session whose head went back twice, even without an epoch', async () => {
    // A site's own chat-service reports no epoch.
    const gateway = gatewayUnderTest({}, ({ epoch: _epoch, ...answer }) => answer);
    const { ledger } = gateway;
    for (const number of range(1, 5)) ledger.post(1, `m${number}`);
    const [client, other] = [gateway.customer(1), gateway.customer(2)];
    await gateway.advance(500);
    ledger.sessions.get(1)?.events.splice(3);
    await gateway.clock.until(() => client.closed ?? undefined, 'the restore');
    expect(client.closed).toBe('service_restart');
    const back = gateway.customer(1, 6);
    await gateway.advance(500);
    expect(back.of('channel.ready')[0]?.data['last_seq']).toBe(3);
    expect(back.of('channel.reset').map(({ data }) => data)).toEqual([{ reason: 'cursor_ahead' }]);
    expect(other.closed).toBeNull();
    await gateway.stop();
  });
});
