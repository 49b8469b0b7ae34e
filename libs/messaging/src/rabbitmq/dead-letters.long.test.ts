import { DEAD_LETTER_QUEUE, DISPATCHER_QUEUE, EVENTS_EXCHANGE, ROUTING_KEYS } from '@chat-realtime/protocol';
import { type ManagedServer, startRabbit, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { give, holds, withChannel } from '../testing/rabbit-admin.ts';
import { messageEvent, testLogger } from '../testing/samples.ts';
import { connectRabbitConsumer } from './consumer.ts';
import { type DeadLetter, NoDeadLetterQueueError, walkDeadLetters } from './dead-letters.ts';

let server: ManagedServer;
beforeAll(async () => {
  server = await startRabbit();
}, 120_000);
afterAll(() => server.kill());

async function letters(): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  await walkDeadLetters(server.url, 'dispatcher', (letter) => {
    found.push(letter);
    return 'keep';
  });
  return found;
}

it('reports that there is no queue before anybody has declared one', async () => {
  await expect(letters()).rejects.toBeInstanceOf(NoDeadLetterQueueError);
});

it('shows messages without consuming them, in their order, and replays and drops the named ones', async () => {
  const consumer = connectRabbitConsumer({ url: server.url, logger: testLogger });
  await consumer.start(async (deliveries) => {
    for (const delivery of deliveries) if (delivery.kind === 'bad') delivery.refuse();
  });
  await until(() => consumer.connected, { what: 'the consumer', timeoutMs: 30_000 });
  for (const text of ['not json', '{"v":9}', '{"v":1}'])
    await give(server, EVENTS_EXCHANGE, ROUTING_KEYS.messageSent, text, { messageId: `id ${text}` });
  await holds(server, DEAD_LETTER_QUEUE, 3);
  await consumer.close();

  // More often than a quorum queue redelivers a message before it discards it.
  for (let look = 0; look < 25; look += 1) expect(await letters()).toHaveLength(3);
  const found = await letters();
  expect(found.map(({ reason }) => reason)).toEqual(['invalid_json', 'unknown_version', 'invalid_event']);
  expect(found.map(({ routingKey }) => routingKey)).toEqual(Array(3).fill('chat.message.sent'));
  expect(found[0]).toMatchObject({ messageId: 'id not json', bytes: 8 });

  // A readable one, as after an update that understands it.
  const { event } = messageEvent(7, 3);
  const headers = { 'x-chat-routing-key': ROUTING_KEYS.messageSent };
  await give(server, '', DEAD_LETTER_QUEUE, JSON.stringify(event), { headers });
  await holds(server, DEAD_LETTER_QUEUE, 4);
  const readable = (await letters()).find(({ reason }) => reason === 'readable');
  expect(readable).toMatchObject({ type: 'chat.message', sessionId: 7, seq: 3 });

  await walkDeadLetters(server.url, 'dispatcher', ({ id, reason }) =>
    id === readable?.id ? 'replay' : reason === 'invalid_json' ? 'drop' : 'keep',
  );
  await holds(server, DISPATCHER_QUEUE, 1);
  expect((await letters()).map(({ reason }) => reason)).toEqual(['unknown_version', 'invalid_event']);
  const again = connectRabbitConsumer({ url: server.url, logger: testLogger });
  const taken: unknown[] = [];
  await again.start(async (deliveries) => {
    for (const delivery of deliveries)
      if (delivery.kind === 'event') {
        taken.push(delivery.event);
        delivery.ack();
      }
  });
  await until(() => taken.length > 0, { what: 'the event that is published again', timeoutMs: 30_000 });
  await again.close();
  expect(taken).toEqual([event]);
});

it('keeps a message that no queue accepts', async () => {
  await withChannel(server, async (channel) => {
    await channel.deleteQueue(DISPATCHER_QUEUE);
  });
  await expect(walkDeadLetters(server.url, 'dispatcher', () => 'replay')).rejects.toThrow('no queue for it');
  await holds(server, DEAD_LETTER_QUEUE, 2);
});
