import { STAFF_CHANNEL } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

/** Two sessions with a visitor each, and an operator who sees all. Heads are checked every 5 s. */
async function typingUnderTest() {
  const gateway = new VirtualGateway({ config: { headCheckSeconds: 5 } });
  for (const id of [1, 2]) gateway.ledger.createSession(id);
  const [writer, neighbour] = [gateway.customer(1), gateway.customer(2)];
  const anna = gateway.staff('anna');
  await gateway.advance(1_000);
  const typed = () => anna.of('chat.typing').map((frame) => [frame.session_id, frame.data['active']]);
  return { gateway, ledger: gateway.ledger, writer, neighbour, anna, typed };
}

it('[BAN7] drops typing of a banned visitor until the ban is lifted', async () => {
  const { gateway, ledger, writer, neighbour, anna, typed } = await typingUnderTest();
  ledger.ban(1);
  await gateway.advance(7_000);
  writer.send({ type: 'typing', active: true });
  neighbour.send({ type: 'typing', active: true });
  // The visitor still sees the operator typing.
  anna.send({ type: 'typing', session_id: 1, active: true });
  await gateway.advance(100);
  expect(typed()).toEqual([[2, true]]);
  expect(writer.of('chat.typing')).toHaveLength(1);
  ledger.ban(1, false);
  await gateway.advance(7_000);
  writer.send({ type: 'typing', active: false });
  await gateway.advance(100);
  expect(typed()).toEqual([
    [2, true],
    [1, false],
  ]);
  await gateway.stop();
});

it('[FRM3] repeats the same state after a second at the earliest, and passes on a change at once', async () => {
  const { gateway, writer, typed } = await typingUnderTest();
  for (const ms of [0, 999, 1]) {
    await gateway.advance(ms);
    writer.send({ type: 'typing', active: true });
  }
  await gateway.advance(10);
  expect(typed()).toEqual([
    [1, true],
    [1, true],
  ]);
  writer.send({ type: 'typing', active: false });
  await gateway.advance(10);
  expect(typed().at(-1)).toEqual([1, false]);
  await gateway.stop();
});

it("[FRM4] accepts no typing for another customer's session, and none from staff without a session", async () => {
  const { gateway, writer, anna, typed } = await typingUnderTest();
  writer.send({ type: 'typing', session_id: 2, active: true });
  anna.send({ type: 'typing', active: true });
  await gateway.advance(10);
  expect([writer, anna].map((client) => client.of('error').map(({ data }) => data['code']))).toEqual([
    ['validation_failed'],
    ['validation_failed'],
  ]);
  expect(typed()).toEqual([]);
  await gateway.stop();
});

it('[ASG13] carries the current assignee, or none, even if no staff are connected', async () => {
  const gateway = new VirtualGateway({ config: { headCheckSeconds: 60 } });
  const { ledger } = gateway;
  ledger.createSession(1);
  ledger.assign(1, 'anna');
  const writer = gateway.customer(1);
  const published: unknown[] = [];
  await gateway.fanout.subscribe(STAFF_CHANNEL, (payload) => {
    const { type, subscribers } = JSON.parse(payload.toString());
    if (type === 'chat.typing') published.push(subscribers);
  });
  for (const [active, owner] of [
    [true, 'anna'],
    [false, null],
    [true, 'boris'],
  ] as const) {
    await gateway.advance(1_000);
    if (owner !== 'anna') ledger.assign(1, owner);
    await gateway.advance(100);
    writer.send({ type: 'typing', active });
  }
  await gateway.advance(100);
  expect(published).toEqual(['anna', null, 'boris'].map((user) => ({ session_id: 1, assigned_user_id: user })));
  await gateway.stop();
});
