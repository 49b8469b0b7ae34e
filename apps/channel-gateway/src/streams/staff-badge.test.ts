import { STAFF_CHANNEL } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import type { VirtualClient } from '../testing/virtual-client.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

const waiting = (client: VirtualClient): unknown[] => client.of('chat.alert').map(({ data }) => data['waiting_count']);

/** A badge on the live path, as the relay leader publishes it with a tick. */
async function publish(gateway: VirtualGateway, badge: object): Promise<void> {
  const payload = JSON.stringify({ type: 'chat.alert', session_id: null, seq: null, data: badge });
  await gateway.fanout.execute([{ kind: 'publish', channel: STAFF_CHANNEL, payload }]);
  await gateway.advance(20);
}

it('[ALR3] passes on a badge that changed, by whichever way it came, and to nobody twice', async () => {
  const gateway = new VirtualGateway({ config: { headCheckSeconds: 60 } });
  const { ledger } = gateway;
  const anna = gateway.staff('anna');
  await gateway.advance(1_000);
  const tell = (count: number): Promise<void> => {
    ledger.badge = { ...ledger.badge, waiting_count: count };
    return publish(gateway, ledger.badge);
  };
  for (const count of [0, 1, 1, 1, 2, 2]) await tell(count);
  expect(waiting(anna)).toEqual([1, 2]);
  // A badge whose frame was lost comes with the next catch-up.
  ledger.badge = { ...ledger.badge, waiting_count: 3 };
  const boris = gateway.staff('boris');
  await gateway.advance(1_000);
  expect(waiting(anna)).toEqual([1, 2, 3]);
  expect(boris.of('channel.ready')).toHaveLength(1);
  await tell(0);
  expect(waiting(anna)).toEqual([1, 2, 3, 0]);
  await gateway.stop();
});

it('[STF9] lets no badge overtake one that was counted later', async () => {
  const gateway = new VirtualGateway();
  const anna = gateway.staff('anna');
  await gateway.advance(1_000);
  const counted = [
    [1, 101],
    [9, 100],
    [2, 101],
    [2, 105],
    [8, 104],
    [3, 105],
  ] as const;
  for (const [count, place] of counted)
    await publish(gateway, { ...gateway.ledger.badge, waiting_count: count, feed_seq: place });
  expect(waiting(anna)).toEqual([1, 2, 3]);
  await gateway.stop();
});
