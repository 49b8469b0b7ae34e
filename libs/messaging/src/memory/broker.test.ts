import { describe, expect, it } from 'vitest';
import { eventQueueSuite } from '../testing/event-queue-suite.ts';
import { messageEvents } from '../testing/samples.ts';
import { createMemoryBroker } from './broker.ts';

eventQueueSuite('memory', async () => {
  const { publisher, consumer } = createMemoryBroker();
  return {
    publisher,
    consumer,
    cleanUp: async () => {
      await consumer.close();
      await publisher.close();
    },
  };
});

describe('memory broker', () => {
  it('confirms only what it has room for, and accepts more when there is room again', async () => {
    const { publisher, consumer } = createMemoryBroker();
    let confirmed = 0;
    for (let from = 1; ; from += 500) {
      const result = await publisher.publish(messageEvents(1, from, from + 499));
      confirmed += result.confirmed;
      if (result.failure !== undefined) break;
    }
    expect(confirmed).toBe(10_000);
    let seen = 0;
    const all = Promise.withResolvers<void>();
    await consumer.start(async (deliveries) => {
      for (const delivery of deliveries) if (delivery.kind === 'event') delivery.ack();
      seen += deliveries.length;
      if (seen === confirmed) all.resolve();
    });
    await all.promise;
    expect(await publisher.publish(messageEvents(1, 1, 2))).toEqual({ confirmed: 2 });
    await consumer.close();
  });

  it('runs the consumer outside the publisher’s turn', async () => {
    const { publisher, consumer } = createMemoryBroker();
    let handled = false;
    await consumer.start(async () => {
      handled = true;
    });
    void publisher.publish(messageEvents(1, 1, 1));
    expect(handled).toBe(false);
    await consumer.close();
  });
});
