import { expect, it } from 'vitest';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

function acksUnderTest() {
  const gateway = new VirtualGateway();
  gateway.ledger.createSession(1);
  const acked = () => gateway.ledger.acked.map((ack) => [ack.session_id, ack.participant, ack.last_id]);
  const idOf = (event: object): number => ('data' in event ? Number((event.data as { id?: number }).id) : 0);
  return { gateway, ledger: gateway.ledger, acked, idOf };
}

it('[ACK1] [ACK2] [ACK5] limits an ack to what was sent here and passes it on once', async () => {
  const { gateway, ledger, acked, idOf } = acksUnderTest();
  const client = gateway.customer(1);
  await gateway.advance(500);
  client.send({ type: 'ack', last_id: 1_000_000 });
  await gateway.advance(2_000);
  expect(acked()).toEqual([]);
  const id = idOf(ledger.post(1, 'hello'));
  await gateway.advance(100);
  client.send({ type: 'ack', last_id: 1_000_000 });
  client.send({ type: 'ack', last_id: 1 });
  await gateway.advance(3_000);
  expect(acked()).toEqual([[1, 'client', id]]);
  expect(await gateway.lastSeen.read(1)).toMatchObject([{ participant: 'client', lastId: id }]);
  await gateway.stop();
});

it('[ACK1] limits a staff ack to what was sent to staff here, in sessions they may see', async () => {
  const { gateway, ledger, acked, idOf } = acksUnderTest();
  ledger.createSession(2);
  ledger.assign(2, 'boris');
  const anna = gateway.staff('anna/assigned');
  await gateway.advance(500);
  const id = idOf(ledger.post(1, 'hello', 'client'));
  ledger.post(2, 'for boris', 'client');
  await gateway.advance(100);
  const items = [1, 2, 999].map((session_id) => ({ session_id, last_id: 99_999_999 }));
  anna.send({ type: 'ack', items });
  await gateway.advance(2_000);
  expect(acked()).toEqual([[1, 'staff:anna', id]]);
  await gateway.stop();
});

it('[ACK4] passes on an ack that came by HTTP, since another gateway may have sent the messages', async () => {
  const { gateway, acked } = acksUnderTest();
  gateway.core.edge.ackCustomer(1, 5);
  gateway.core.edge.ackCustomer(1, 0);
  await gateway.advance(2_000);
  expect(acked()).toEqual([[1, 'client', 5]]);
  await gateway.stop();
});

it('[ACK2] passes on a staff ack for messages that were read by REST and not sent here', async () => {
  const { gateway, ledger, acked, idOf } = acksUnderTest();
  const id = idOf(ledger.post(1, 'before anybody of the staff was here', 'client'));
  const anna = gateway.staff('anna');
  await gateway.advance(500);
  anna.send({ type: 'ack', items: [{ session_id: 1, last_id: id }] });
  await gateway.advance(2_000);
  expect(acked()).toEqual([[1, 'staff:anna', id]]);
  await gateway.stop();
});

it('[ACK2] [ASG12] passes on such an ack of a narrow scope only once the session is known to be theirs', async () => {
  const { gateway, ledger, acked, idOf } = acksUnderTest();
  ledger.createSession(2);
  ledger.assign(1, 'boris');
  ledger.assign(2, 'olga');
  const [mine, other] = [1, 2].map((id) => idOf(ledger.post(id, 'early', 'client')));
  const boris = gateway.staff('boris/own');
  await gateway.advance(500);
  const items = [
    { session_id: 1, last_id: mine },
    { session_id: 2, last_id: other },
    { session_id: 999, last_id: 5 },
  ];
  boris.send({ type: 'ack', items });
  await gateway.advance(3_000);
  expect(acked()).toEqual([[1, 'staff:boris', mine]]);
  // The rest is not kept until the other session is theirs too.
  ledger.assign(2, 'boris');
  await gateway.advance(3_000);
  expect(acked()).toEqual([[1, 'staff:boris', mine]]);
  await gateway.stop();
});
