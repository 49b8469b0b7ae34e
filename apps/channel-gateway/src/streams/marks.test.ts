import { sessionChannel } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

const READ = { by: 'staff', delivered_id: 2, read_id: 2 };

it('[RD7] sends a mark that moves while a connection is behind, even if it was announced to others', async () => {
  const gateway = new VirtualGateway();
  const { ledger, fanout } = gateway;
  ledger.createSession(1);
  ledger.post(1, 'a question', 'client');
  const client = gateway.customer(1);
  const slow = gateway.customer(1, 0);
  slow.isSlow = true;
  for (let count = 0; count < 300; count += 1) ledger.post(1, 'x'.repeat(400));
  await gateway.advance(2_000);
  expect([client.connection.isLive, slow.connection.isReadySent, slow.connection.isLive]).toEqual([true, true, false]);
  const payload = JSON.stringify({ type: 'chat.read', session_id: 1, seq: null, data: READ });
  await fanout.execute([{ kind: 'publish', channel: sessionChannel(1), payload }]);
  await gateway.advance(100);
  for (const one of [client, slow]) expect(one.of('chat.read').map(({ data }) => data)).toEqual([READ]);
});

it('[RD7] repairs a lost mark with the head check, and moves none back', async () => {
  const gateway = new VirtualGateway({ config: { headCheckSeconds: 2 } });
  const { ledger, fanout } = gateway;
  ledger.createSession(1);
  const client = gateway.customer(1);
  await gateway.advance(1_000);
  const session = ledger.sessions.get(1);
  if (session === undefined) throw new Error('no session');
  session.state = { ...session.state, staff: { delivered_id: 9, read_id: 7 } };
  await gateway.advance(5_000);
  expect(client.of('chat.read').map(({ data }) => data)).toEqual([{ by: 'staff', delivered_id: 9, read_id: 7 }]);
  const late = { type: 'chat.read', session_id: 1, seq: null, data: { by: 'staff', delivered_id: 8, read_id: 6 } };
  await fanout.execute([{ kind: 'publish', channel: sessionChannel(1), payload: JSON.stringify(late) }]);
  await gateway.advance(5_000);
  expect(client.of('chat.read')).toHaveLength(1);
});
