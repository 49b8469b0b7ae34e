import { STAFF_CHANNEL } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import type { VirtualClient } from '../testing/virtual-client.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

/** More than an unread socket accepts. */
const FAR_BEHIND = 300;

function gatewayWithHistory(): VirtualGateway {
  const gateway = new VirtualGateway({ config: { headCheckSeconds: 60 } });
  for (const id of [1, 2]) gateway.ledger.createSession(id);
  gateway.ledger.assign(1, 'anna');
  for (let index = 0; index < FAR_BEHIND; index += 1) gateway.ledger.post(1, 'x'.repeat(1_000));
  return gateway;
}

/** The client resumes from the beginning and stops reading after `channel.ready` and the first page. */
async function slowly(gateway: VirtualGateway, client: VirtualClient): Promise<VirtualClient> {
  client.isSlow = true;
  await gateway.advance(1_000);
  expect([client.of('channel.ready').length, client.connection.isLive]).toEqual([1, false]);
  return client;
}

async function countBadge(gateway: VirtualGateway, waiting_count: number): Promise<void> {
  gateway.ledger.badge = { ...gateway.ledger.badge, waiting_count, waiting: { unassigned: 0, mine: { anna: 1 } } };
  const frame = { type: 'chat.alert', session_id: null, seq: null, data: gateway.ledger.badge };
  await gateway.fanout.execute([{ kind: 'publish', channel: STAFF_CHANNEL, payload: JSON.stringify(frame) }]);
  await gateway.advance(20);
}

describe('state that changes while a connection catches up', () => {
  for (const [name, waiting] of [
    ['anna', 3],
    ['anna/own', 1],
  ] as const)
    it(`[ALR3] [FRM5] ${name} is sent the current badge and presence once live`, async () => {
      const gateway = gatewayWithHistory();
      const anna = await slowly(gateway, gateway.staff(name, '0'));
      await countBadge(gateway, 3);
      gateway.staff('carl');
      await gateway.advance(100);
      anna.drain();
      await gateway.advance(1_000);
      expect(anna.connection.isLive).toBe(true);
      expect(anna.of('chat.alert').map(({ data }) => data['waiting_count'])).toEqual([waiting]);
      expect(JSON.stringify(anna.of('chat.presence').at(-1)?.data['users'])).toContain('carl');
      await gateway.stop();
    });

  it('[ALR3] nothing is sent if nothing changed', async () => {
    const gateway = gatewayWithHistory();
    const anna = await slowly(gateway, gateway.staff('anna', '0'));
    anna.drain();
    await gateway.advance(1_000);
    expect(anna.connection.isLive).toBe(true);
    expect([anna.of('chat.alert'), anna.of('chat.presence')]).toEqual([[], []]);
    await gateway.stop();
  });

  it('[RD7] a read mark of a visible session is sent at once', async () => {
    const gateway = gatewayWithHistory();
    const { ledger } = gateway;
    for (let index = 0; index < 500; index += 1) ledger.post(1, 'more than one page');
    const anna = gateway.staff('anna/own', '0');
    await gateway.clock.until(() => anna.of('channel.ready')[0], 'the first page');
    // The second page is being fetched.
    ledger.latencyMs = 500;
    await gateway.advance(100);
    for (const session_id of [1, 2]) {
      const data = { by: 'client', delivered_id: 5, read_id: 5 };
      ledger.ephemeral(session_id, { type: 'chat.read', session_id, seq: null, data });
    }
    await gateway.advance(100);
    expect(anna.connection.isLive).toBe(false);
    await gateway.advance(5_000);
    expect(anna.connection.isLive).toBe(true);
    expect(anna.of('chat.read').map(({ session_id }) => session_id)).toEqual([1]);
    await gateway.stop();
  });

  it('[FRM5] a customer is sent the number of operators online', async () => {
    const gateway = gatewayWithHistory();
    const customer = await slowly(gateway, gateway.customer(1, 0));
    gateway.staff('anna');
    await gateway.advance(100);
    customer.drain();
    await gateway.advance(1_000);
    expect(customer.connection.isLive).toBe(true);
    expect(customer.of('chat.presence').map(({ data }) => data)).toEqual([{ operators_online: 1 }]);
    await gateway.stop();
  });
});
