import { until } from '@chat-realtime/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery, EventConsumer, EventPublisher, OutgoingEvent } from '../ports/event-queue.ts';
import { messageEvent, messageEvents, readMark } from './samples.ts';

export interface EventQueueFixture {
  readonly publisher: EventPublisher;
  readonly consumer: EventConsumer;
  cleanUp(): Promise<void>;
}

export type EventDelivery = Extract<Delivery, { kind: 'event' }>;

export function events(deliveries: readonly Delivery[]): EventDelivery[] {
  return deliveries.filter((delivery) => delivery.kind === 'event');
}

export async function publishAll(publisher: EventPublisher, batch: readonly OutgoingEvent[]): Promise<void> {
  await until(() => publisher.connected, { what: 'publisher connected', timeoutMs: 30_000 });
  const result = await publisher.publish(batch);
  expect(result).toEqual({ confirmed: batch.length });
}

/** What every adapter of the event queue must do, whatever is behind it. */
export function eventQueueSuite(name: string, make: () => Promise<EventQueueFixture>): void {
  describe(`event queue: ${name}`, () => {
    let fixture: EventQueueFixture;
    let publisher: EventPublisher;
    let consumer: EventConsumer;
    beforeEach(async () => {
      fixture = await make();
      ({ publisher, consumer } = fixture);
    });
    afterEach(() => fixture.cleanUp());

    it('[AMQP] delivers events whole and in order, with their traceparent', async () => {
      const seen: EventDelivery[] = [];
      await consumer.start(async (deliveries) => {
        for (const delivery of events(deliveries)) {
          seen.push(delivery);
          delivery.ack();
        }
      });
      const batch = [
        messageEvent(1, 1, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
        ...messageEvents(1, 2, 300),
      ];
      await publishAll(publisher, batch);
      await until(() => seen.length >= 300);
      expect(seen.map(({ event }) => event)).toEqual(batch.map(({ event }) => event));
      expect(seen[0]?.traceparent).toBe(batch[0]?.traceparent);
      expect(seen[1]?.traceparent).toBeUndefined();
      expect(seen.some(({ redelivered }) => redelivered)).toBe(false);
    });

    it('keeps what is published before anyone consumes', async () => {
      await publishAll(publisher, messageEvents(1, 1, 20));
      const seen: number[] = [];
      await consumer.start(async (deliveries) => {
        for (const delivery of events(deliveries)) {
          seen.push(delivery.event.seq ?? 0);
          delivery.ack();
        }
      });
      await until(() => seen.length >= 20);
      expect(seen).toEqual(messageEvents(1, 1, 20).map(({ event }) => event.seq));
    });

    it('never calls the handler again before it has settled', async () => {
      let active = 0;
      let mostActive = 0;
      let count = 0;
      await consumer.start(async (deliveries) => {
        active += 1;
        mostActive = Math.max(mostActive, active);
        await new Promise((resolve) => setTimeout(resolve, 5));
        for (const delivery of events(deliveries)) delivery.ack();
        count += deliveries.length;
        active -= 1;
      });
      for (let seq = 1; seq <= 10; seq += 1) await publishAll(publisher, [messageEvent(1, seq)]);
      await until(() => count >= 10);
      expect(mostActive).toBe(1);
    });

    it('gives back on pause what is unacked, and in order again on resume', async () => {
      const seen: EventDelivery[] = [];
      let acking = false;
      const hold = Promise.withResolvers<void>();
      await consumer.start(async (deliveries) => {
        for (const delivery of events(deliveries)) {
          seen.push(delivery);
          if (acking || delivery.event.seq === 1) delivery.ack();
        }
        if (!acking) await hold.promise;
      });
      await publishAll(publisher, messageEvents(1, 1, 10));
      await until(() => seen.length > 0);
      await consumer.pause();
      const taken = [...seen];
      await publishAll(publisher, messageEvents(1, 11, 15));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(seen).toEqual(taken);
      acking = true;
      hold.resolve();
      // Too late: these belong to a consumption that has ended.
      for (const delivery of taken) delivery.ack();
      await consumer.resume();
      await until(() => seen.at(-1)?.event.seq === 15);
      expect(seen.slice(taken.length).map(({ event }) => event.seq)).toEqual(
        messageEvents(1, 2, 15).map(({ event }) => event.seq),
      );
      expect(seen[taken.length]?.redelivered).toBe(true);
    });

    it('delivers again, in order, what a failing handler left', async () => {
      const acked: number[] = [];
      let failures = 2;
      await consumer.start(async (deliveries) => {
        for (const delivery of events(deliveries)) {
          if (delivery.event.seq === 5 && failures > 0) {
            failures -= 1;
            throw new Error('the handler failed');
          }
          acked.push(delivery.event.seq ?? 0);
          delivery.ack();
        }
      });
      await publishAll(publisher, messageEvents(1, 1, 10));
      await until(() => acked.length >= 10);
      expect(acked).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });

    it('keeps the order when the handler fails while consuming only just begins', async () => {
      const acked: number[] = [];
      let failures = 2;
      await publishAll(publisher, [messageEvent(1, 1)]);
      const starting = consumer.start(async (deliveries) => {
        for (const delivery of events(deliveries)) {
          if (failures > 0) {
            failures -= 1;
            throw new Error('the handler failed');
          }
          acked.push(delivery.event.seq ?? 0);
          delivery.ack();
        }
      });
      for (let seq = 2; seq <= 40; seq += 1) await publishAll(publisher, [messageEvent(1, seq)]);
      await starting;
      await until(() => acked.length >= 40);
      expect(acked).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    });

    it('never delivers again what was refused', async () => {
      const seen: number[] = [];
      await consumer.start(async (deliveries) => {
        for (const delivery of events(deliveries)) {
          seen.push(delivery.event.seq ?? 0);
          if (delivery.event.seq === 2) delivery.refuse();
          else delivery.ack();
        }
      });
      await publishAll(publisher, messageEvents(1, 1, 3));
      await until(() => seen.length >= 3);
      await consumer.pause();
      await consumer.resume();
      await publishAll(publisher, [messageEvent(1, 4)]);
      await until(() => seen.includes(4));
      expect(seen).toEqual([1, 2, 3, 4]);
    });

    it('carries ephemeral messages', async () => {
      const marks: Delivery[] = [];
      await consumer.start(async (deliveries) => {
        marks.push(...deliveries);
      });
      await until(() => publisher.connected && consumer.connected);
      // At most once: a message sent before the consumer is ready may wait or be lost.
      await until(() => {
        publisher.publishEphemeral(readMark(7, 42));
        return marks.length > 0;
      });
      expect(marks[0]).toEqual({ kind: 'ephemeral', message: readMark(7, 42) });
    });

    it('tells a listener of the connection', async () => {
      const told = Promise.withResolvers<void>();
      publisher.onConnected(() => told.resolve());
      await told.promise;
    });

    it('confirms nothing once closed', async () => {
      await publisher.close();
      const result = await publisher.publish(messageEvents(1, 1, 2));
      expect(result.confirmed).toBe(0);
      expect(result.failure).toBeInstanceOf(Error);
      publisher.publishEphemeral(readMark(1, 1));
    });
  });
}
