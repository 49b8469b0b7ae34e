import { STAFF_CHANNEL } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import type { VirtualClient } from '../testing/virtual-client.ts';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

const keys = (client: VirtualClient): string[] =>
  client.frames
    .filter(({ seq }) => typeof seq === 'number')
    .map(({ session_id: id, seq, type }) => `${id}:${seq} ${type.replace('chat.', '')}`);

it('[ASG10] [ASG13] shows the assignment that takes an unassigned chat out of sight, and nothing after it', async () => {
  const gateway = new VirtualGateway();
  const { ledger } = gateway;
  ledger.createSession(1);
  const anna = gateway.staff('anna/assigned');
  const boris = gateway.staff('boris/assigned');
  const olga = gateway.staff('olga/own');
  await gateway.advance(1_000);
  ledger.assign(1, 'boris');
  ledger.post(1, 'for boris');
  ledger.assign(1, 'carl');
  ledger.post(1, 'for carl');
  await gateway.advance(1_000);
  expect(keys(anna)).toEqual(['1:2 session.assigned']);
  expect(keys(boris)).toEqual(['1:2 session.assigned', '1:3 message', '1:4 session.assigned']);
  expect(keys(olga)).toEqual([]);
  // A client that was away sees the same; of what was anna's for a while it only sees that it is gone.
  ledger.createSession(2);
  ledger.assign(2, 'anna');
  ledger.post(2, 'hers for a while');
  ledger.assign(2, 'boris');
  await gateway.advance(1_000);
  const resumed = gateway.staff('anna/assigned', '1');
  await gateway.advance(2_000);
  expect(keys(resumed)).toEqual(['1:2 session.assigned', '2:4 session.assigned']);
  await gateway.stop();
});

it('[ASG13] does not treat an assignment without a previous assignee as one of an unassigned chat', async () => {
  const gateway = new VirtualGateway();
  const { ledger, fanout } = gateway;
  ledger.createSession(1);
  ledger.assign(1, 'boris');
  const anna = gateway.staff('anna/assigned');
  await gateway.advance(1_000);
  const place = { feed_seq: 3, cursor: '3', subscribers: { session_id: 1, assigned_user_id: 'carl' } };
  const event = { type: 'chat.session.assigned', session_id: 1, seq: 3, data: { assigned_user_id: 'carl', by: 'b' } };
  const payload = JSON.stringify({ ...event, ...place });
  await fanout.execute([{ kind: 'publish', channel: STAFF_CHANNEL, payload }]);
  await gateway.advance(1_000);
  expect(keys(anna)).toEqual([]);
  await gateway.stop();
});
