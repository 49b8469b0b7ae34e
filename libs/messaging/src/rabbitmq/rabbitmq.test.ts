import { DEAD_LETTER_QUEUE, DISPATCHER_QUEUE, EVENTS_EXCHANGE } from '@chat-realtime/protocol';
import { type ManagedServer, startRabbit, TcpProxy, until } from '@chat-realtime/testkit';
import type { ConsumeMessage } from 'amqplib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OutgoingEvent } from '../ports/event-queue.ts';
import { eventQueueSuite, publishAll } from '../testing/event-queue-suite.ts';
import { deleteTopology, evaluate, give, holds, withChannel } from '../testing/rabbit-admin.ts';
import { collect, RabbitClients, relay, seqs } from '../testing/rabbit-clients.ts';
import { queuesSuite } from '../testing/queues-suite.ts';
import { messageEvent, messageEvents, testLogger } from '../testing/samples.ts';
import { connectRabbitConsumer } from './consumer.ts';

let server: ManagedServer;
const clients = new RabbitClients(() => server);

beforeAll(async () => {
  server = await startRabbit({ plugins: ['rabbitmq_consistent_hash_exchange'] });
}, 120_000);
afterAll(() => server.stop());

eventQueueSuite('rabbitmq', async () => {
  await deleteTopology(server);
  return { publisher: clients.publisher(), consumer: clients.consumer(), cleanUp: () => clients.close() };
});

eventQueueSuite('rabbitmq, four queues', async () => {
  await deleteTopology(server);
  const queues = { queues: 4 } as const;
  return { publisher: clients.publisher(queues), consumer: clients.consumer(queues), cleanUp: () => clients.close() };
});
queuesSuite(() => server, clients);

describe('rabbitmq on the wire', () => {
  afterEach(() => clients.close());

  it('[AMQP1] publishes persistent JSON with message_id and traceparent, by routing key', async () => {
    await deleteTopology(server);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const note: OutgoingEvent = {
      routingKey: 'chat.session.updated',
      event: { ...messageEvent(5, 1).event, type: 'chat.note', seq: null, feed_id: 70, feed_seq: 77 },
    };
    await publishAll(clients.publisher(), [messageEvent(5, 1, traceparent), note]);
    const [first, second] = await withChannel(server, async (channel) => {
      const messages: ConsumeMessage[] = [];
      await channel.consume(DISPATCHER_QUEUE, (message) => {
        if (message !== null) messages.push(message);
      });
      await until(() => messages.length === 2);
      return messages;
    });
    expect(first?.fields).toMatchObject({ exchange: 'chat.events', routingKey: 'chat.message.sent' });
    expect(first?.properties).toMatchObject({
      messageId: '5:1',
      contentType: 'application/json',
      deliveryMode: 2,
      headers: { traceparent },
    });
    expect(JSON.parse(first?.content.toString() ?? '')).toEqual(messageEvent(5, 1).event);
    expect(second?.fields.routingKey).toBe('chat.session.updated');
    expect(second?.properties.messageId).toBe('feed:77');
  });

  it('[AMQP7] rejects bad messages to the dead letters and continues', async () => {
    await deleteTopology(server);
    const publisher = clients.publisher();
    const consumer = clients.consumer();
    const reasons: string[] = [];
    const seen: number[] = [];
    await consumer.start(async (deliveries) => {
      for (const delivery of deliveries) {
        if (delivery.kind === 'bad') {
          reasons.push(delivery.reason);
          delivery.refuse();
        } else if (delivery.kind === 'event') {
          seen.push(delivery.event.seq ?? 0);
          delivery.ack();
        }
      }
    });
    await publishAll(publisher, [messageEvent(1, 1)]);
    for (const body of ['{', '{"v":1}', JSON.stringify({ ...messageEvent(1, 2).event, v: 2 })])
      await give(server, EVENTS_EXCHANGE, 'chat.message.sent', body);
    await publishAll(publisher, [messageEvent(1, 3)]);
    await until(() => seen.includes(3) && reasons.includes('unknown_version'), { timeoutMs: 15_000 });
    // A lost connection causes some redeliveries.
    expect([...new Set(seen)]).toEqual([1, 3]);
    expect([...new Set(reasons)]).toEqual(['invalid_json', 'invalid_event', 'unknown_version']);
    await holds(server, DEAD_LETTER_QUEUE, 3);
  });

  it('[AMQP] has one active consumer: a second one takes over in order when the first closes', async () => {
    await deleteTopology(server);
    const publisher = clients.publisher();
    const [first, second] = [clients.consumer(), clients.consumer()];
    const seenByFirst = collect(first);
    await publishAll(publisher, messageEvents(1, 1, 10));
    await until(() => seenByFirst.first.length === 10);
    const seenBySecond = collect(second);
    await publishAll(publisher, messageEvents(1, 11, 20));
    await until(() => seenByFirst.first.length === 20);
    expect(seenBySecond.first).toEqual([]);
    await first.close();
    await publishAll(publisher, messageEvents(1, 21, 30));
    await until(() => seenBySecond.first.length === 10);
    expect(seenBySecond.first).toEqual(seqs(21, 30));
  });
});

describe('rabbitmq through faults', () => {
  it('[AMQP] consumes again when its connection is lost while it leaves its queue', async () => {
    await deleteTopology(server);
    const proxy = await TcpProxy.start({ target: server.url });
    const consumer = connectRabbitConsumer({ url: proxy.urlFor(server.url), logger: testLogger });
    const { first } = collect(consumer);
    const publisher = clients.publisher();
    await publishAll(publisher, messageEvents(1, 1, 1));
    await until(() => first.length === 1, { what: 'the first event' });
    proxy.halfOpen();
    const paused = consumer.pause();
    await proxy.heal();
    await paused;
    await consumer.resume();
    await publishAll(publisher, messageEvents(1, 2, 2));
    await until(() => first.includes(2), { what: 'the second event' });
    await consumer.close();
    await proxy.close();
  });

  afterEach(() => clients.close());

  it('reports to a publisher of a fresh broker that the queue was missing, and not again', async () => {
    await deleteTopology(server);
    const told: boolean[] = [];
    const first = clients.publisher();
    first.onConnected(({ queueWasMissing }) => void told.push(queueWasMissing));
    await until(() => first.connected);
    const second = clients.publisher();
    second.onConnected(({ queueWasMissing }) => void told.push(queueWasMissing));
    await until(() => second.connected);
    expect(told).toEqual([true, false]);
  });

  it('reports it even if a consumer has declared the queue first', async () => {
    await deleteTopology(server);
    const consumer = clients.consumer();
    await until(() => consumer.connected);
    const publisher = clients.publisher();
    const told: boolean[] = [];
    publisher.onConnected(({ queueWasMissing }) => void told.push(queueWasMissing));
    await until(() => publisher.connected);
    expect(told).toEqual([true]);
  });

  it('reports it again if the listener failed', async () => {
    await deleteTopology(server);
    const publisher = clients.publisher();
    const told: boolean[] = [];
    publisher.onConnected(async ({ queueWasMissing }) => {
      told.push(queueWasMissing);
      if (told.length === 1) throw new Error('the database is away');
    });
    await until(() => publisher.connected);
    expect(told).toEqual([true, true]);
  });

  it('does not confirm an unroutable message, and then finds that the queue is missing', async () => {
    await deleteTopology(server);
    const publisher = clients.publisher();
    const told: boolean[] = [];
    publisher.onConnected(({ queueWasMissing }) => void told.push(queueWasMissing));
    await publishAll(publisher, messageEvents(1, 1, 2));
    await withChannel(server, (channel) => channel.deleteQueue(DISPATCHER_QUEUE));
    const result = await publisher.publish(messageEvents(1, 3, 5));
    expect(result.confirmed).toBe(0);
    await publishAll(publisher, messageEvents(1, 1, 5));
    expect(told).toEqual([true, true]);
    const seen = collect(clients.consumer());
    await until(() => seen.first.length === 5);
    expect(seen.first).toEqual(seqs(1, 5));
  });

  it('continues after its queue was deleted under the consumer', async () => {
    await deleteTopology(server);
    const publisher = clients.publisher();
    const seen = collect(clients.consumer());
    await publishAll(publisher, messageEvents(1, 1, 5));
    await until(() => seen.first.length === 5);
    await withChannel(server, (channel) => channel.deleteQueue(DISPATCHER_QUEUE));
    await relay(publisher, messageEvents(1, 6, 10));
    await until(() => seen.first.length === 10);
    expect(seen.first).toEqual(seqs(1, 10));
  });

  it('fails at once while blocked by an alarm and continues afterwards', async () => {
    await deleteTopology(server);
    const publisher = clients.publisher();
    await publishAll(publisher, [messageEvent(1, 1)]);
    const alarm = '{{resource_limit, disk, node()}, []}';
    await evaluate(server, `rabbit_alarm:set_alarm(${alarm}).`);
    try {
      const result = await publisher.publish([messageEvent(1, 2)]);
      expect(result.confirmed).toBe(0);
      expect(publisher.connected).toBe(false);
      const started = performance.now();
      expect((await publisher.publish([messageEvent(1, 2)])).confirmed).toBe(0);
      expect(performance.now() - started).toBeLessThan(100);
    } finally {
      await evaluate(server, 'rabbit_alarm:clear_alarm({resource_limit, disk, node()}).');
    }
    await relay(publisher, messageEvents(1, 2, 3));
  }, 60_000);

  it('gives up a confirm that does not come, and its connection', async () => {
    await deleteTopology(server);
    const publisher = clients.publisher({ confirmTimeoutMs: 1_500 });
    await publishAll(publisher, [messageEvent(1, 1)]);
    server.pause();
    try {
      const started = performance.now();
      expect((await publisher.publish([messageEvent(1, 2)])).confirmed).toBe(0);
      expect(performance.now() - started).toBeGreaterThan(1_400);
      expect(publisher.connected).toBe(false);
    } finally {
      server.resume();
    }
    await relay(publisher, messageEvents(1, 2, 3));
  }, 90_000);
});
