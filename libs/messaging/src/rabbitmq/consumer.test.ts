import { EventEmitter } from 'node:events';
import { DEAD_LETTER_QUEUE, EPHEMERAL_QUEUE, queueNames, READER_TYPE } from '@chat-realtime/protocol';
import { until } from '@chat-realtime/testkit';
import type { ChannelModel, ConsumeMessage } from 'amqplib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventConsumer } from '../ports/event-queue.ts';
import { messageEvent, testLogger } from '../testing/samples.ts';
import { connectRabbitConsumer } from './consumer.ts';

type Receive = (message: ConsumeMessage) => void;

/** A broker with two queues as a consumer sees it; another reader announces itself whenever we do. */
class FakeBroker {
  readonly consumed = new Map<string, Receive>();
  readonly announced = new Set<string>();
  channels = 0;
  purges = 0;
  /** Channels do not answer a close. */
  hangs = false;
  /** The response to a purge. */
  purge: () => Promise<unknown> = async () => ({ messageCount: 0 });

  deliver(queue: string, content: Buffer, properties: object = {}): void {
    const fields = { redelivered: false, deliveryTag: 1 };
    const message: ConsumeMessage = Object.assign(Object.create(null), { content, properties, fields });
    this.consumed.get(queue)?.(message);
  }

  readonly connect = async (): Promise<ChannelModel> => {
    const model = Object.create(new EventEmitter());
    const open = async () => this.#channel();
    const close = async () => model.emit('close');
    return Object.assign(model, { createChannel: open, createConfirmChannel: open, close });
  };

  #channel(): EventEmitter {
    const channel = new EventEmitter();
    const there = new Set(queueNames(2));
    const nothing = async (): Promise<object> => ({});
    this.channels += 1;
    return Object.assign(channel, {
      assertExchange: nothing,
      assertQueue: nothing,
      bindQueue: nothing,
      bindExchange: nothing,
      prefetch: nothing,
      ack: () => undefined,
      nack: () => undefined,
      checkQueue: async (queue: string) => {
        if (!there.has(queue)) throw Object.assign(new Error('not found'), { code: 404 });
      },
      consume: async (queue: string, receive: Receive) => void this.consumed.set(queue, receive),
      sendToQueue: (queue: string, content: Buffer, { appId }: { appId: string }) => {
        for (const reader of [appId, 'another']) this.deliver(queue, content, { type: READER_TYPE, appId: reader });
        this.announced.add(queue);
      },
      purgeQueue: async (queue: string) => {
        expect(queue).toBe(DEAD_LETTER_QUEUE);
        this.purges += 1;
        return this.purge();
      },
      close: async () => {
        if (this.hangs) await new Promise(() => undefined);
        this.channels -= 1;
        channel.emit('close');
      },
    });
  }
}

describe('rabbitmq consumer', () => {
  let broker: FakeBroker;
  let consumer: EventConsumer;
  beforeEach(async () => {
    broker = new FakeBroker();
    const { connect } = broker;
    const times = { shareRoundMs: 20, answerMs: 50 };
    consumer = connectRabbitConsumer({ url: 'amqp://nowhere', logger: testLogger, queues: 2, connect, ...times });
    await until(() => consumer.connected);
  });
  afterEach(() => consumer.close());

  it('[AMQP] does not wait for a paused handler when a queue goes to another reader', async () => {
    const [first = ''] = queueNames(2);
    let paused = false;
    await consumer.start(async () => {
      broker.announced.clear();
      // One of the two belongs to the other reader, and must be handed over between two batches.
      await until(() => broker.announced.size === 2);
      await consumer.pause();
      paused = true;
    });
    broker.deliver(first, Buffer.from(JSON.stringify(messageEvent(1, 1).event)));
    await until(() => paused, { timeoutMs: 3_000, what: 'the end of the pause' });
    broker.consumed.clear();
    await consumer.resume();
    expect(new Set(broker.consumed.keys())).toEqual(new Set([EPHEMERAL_QUEUE, ...queueNames(2)]));
  });

  it('[AMQP] pauses even if a queue leaves the closing of its channel unanswered', async () => {
    await consumer.start(async () => undefined);
    broker.hangs = true;
    let paused = false;
    void consumer.pause().then(() => {
      paused = true;
    });
    await until(() => paused, { timeoutMs: 3_000, what: 'the end of the pause' });
    broker.hangs = false;
    await until(() => consumer.connected);
    broker.consumed.clear();
    await consumer.resume();
    expect(broker.consumed.size).toBe(3);
  });

  it('[ERA5] dead letters that do not answer delay nobody, and use one channel', async () => {
    const hung = Promise.withResolvers<unknown>();
    broker.purge = () => hung.promise;
    await expect(consumer.emptyDeadLetters()).rejects.toMatchObject({ code: 'queue_silent' });
    const { channels } = broker;
    await expect(consumer.emptyDeadLetters()).rejects.toMatchObject({ code: 'queue_silent' });
    expect(broker.channels).toBe(channels);
    hung.resolve({ messageCount: 0 });
    await consumer.emptyDeadLetters();
    expect(broker.purges).toBe(2);
    expect(broker.channels).toBe(channels - 1);
  });
});
