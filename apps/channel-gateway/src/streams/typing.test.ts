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

it('[BAN7] drops the typing of a banned visitor from the ban until it is lifted', async () => {
  const { gateway, ledger, writer, neighbour, anna, typed } = await typingUnderTest();
  ledger.ban(1);
  await gateway.advance(7_000);
  writer.send({ type: 'typing', active: true });
  neighbour.send({ type: 'typing', active: true });
  // The visitor still hears the other side.
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

it('[FRM3] tells the same again after a second at the earliest, and a change at once', async () => {
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

it('[FRM4] takes no typing for the session of another customer, nor one of staff that names none', async () => {
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
