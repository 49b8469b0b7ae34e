import {
  createMemoryBroker,
  createMemoryFanout,
  createMemoryLastSeen,
  type Delivery,
  type EventConsumer,
  type Fanout,
  type FanoutCommand,
  type MemoryBroker,
  type OutgoingEvent,
  RefusedError,
  UnavailableError,
} from '@chat-realtime/messaging';
import { createMetrics, type Metrics } from '@chat-realtime/service-kit';
import { sleep, until } from '@chat-realtime/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { erasedEvent, interleaved, messageEvent, testLogger } from './testing/samples.ts';
import { Observer } from './testing/observer.ts';

type Trouble = 'none' | 'away' | 'refuses_streams' | 'refuses_all';

/** The memory fan-out, with the responses of a Redis in trouble. */
class TroubledFanout implements Fanout {
  readonly #inner: Fanout = createMemoryFanout();
  trouble: Trouble = 'none';
  attempts = 0;
  /** What was removed from the stream: session and seq. */
  readonly scrubs: [number, number][] = [];

  get connected(): boolean {
    return this.trouble !== 'away';
  }

  async execute(commands: readonly FanoutCommand[]): Promise<void> {
    this.attempts += 1;
    if (this.trouble === 'away') throw new UnavailableError('redis');
    const refused = commands.flatMap((command, index) => {
      const refuses =
        this.trouble === 'refuses_all' || (this.trouble === 'refuses_streams' && command.kind !== 'publish');
      if (!refuses && command.kind === 'scrub') this.scrubs.push([command.sessionId, command.throughSeq]);
      return refuses ? [index] : [];
    });
    await this.#inner.execute(commands.filter((_, index) => !refused.includes(index)));
    if (refused.length > 0) throw new RefusedError(refused);
  }

  subscribe(...args: Parameters<Fanout['subscribe']>): Promise<void> {
    return this.#inner.subscribe(...args);
  }

  unsubscribe(...args: Parameters<Fanout['unsubscribe']>): Promise<void> {
    return this.#inner.unsubscribe(...args);
  }

  onState(...args: Parameters<Fanout['onState']>): void {
    this.#inner.onState(...args);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

describe('dispatcher', () => {
  let broker: MemoryBroker;
  let fanout: TroubledFanout;
  let observer: Observer;
  let metrics: Metrics;
  let dispatcher: Dispatcher;
  beforeEach(async () => {
    broker = createMemoryBroker();
    fanout = new TroubledFanout();
    observer = new Observer();
    await observer.watch(fanout);
    metrics = createMetrics('channel-dispatcher');
    dispatcher = createDispatcher({
      consumer: broker.consumer,
      fanout,
      lastSeen: createMemoryLastSeen(),
      logger: testLogger,
      metrics,
    });
  });
  afterEach(() => dispatcher.stop());

  it('[AMQP] dispatches every event once, in order per session, and counts it', async () => {
    await dispatcher.start();
    await broker.publisher.publish(interleaved(10, 1_000));
    await until(() => observer.frames >= 1_000);
    expect(observer).toMatchObject({ frames: 1_000, distinct: 1_000, outOfOrder: 0 });
    expect(dispatcher.healthy).toBe(true);
    const text = await metrics.collect();
    expect(text).toContain('chat_dispatch_events_total{result="dispatched",kind="durable"} 1000');
    expect(text).toContain('chat_dispatch_lag_seconds_count 1000');
    expect(text).toContain('chat_dispatch_errors_total{reason="redis_unavailable"} 0');
    for (const reason of ['invalid_json', 'invalid_event', 'unknown_version', 'missing_session_id', 'missing_feed_seq'])
      expect(text).toContain(`chat_dispatch_dead_lettered_total{reason="${reason}"} 0`);
    expect(text).toContain('chat_redis_connected 1');
    expect(text).toContain('chat_rabbitmq_connected 1');
  });

  it('[AMQP] rejects and counts messages without session_id or feed_seq, and continues', async () => {
    await dispatcher.start();
    const placeless = messageEvent(1, 2);
    await broker.publisher.publish([
      messageEvent(1, 1),
      { ...placeless, event: { ...placeless.event, seq: null } },
      messageEvent(1, 3),
    ]);
    await until(() => observer.frames === 2);
    expect(await metrics.collect()).toContain('chat_dispatch_dead_lettered_total{reason="missing_feed_seq"} 1');
  });

  it('[DEG] retries in place during a short outage, so that nothing overtakes', async () => {
    await dispatcher.start();
    fanout.trouble = 'refuses_all';
    await broker.publisher.publish(interleaved(3, 30));
    await until(() => fanout.attempts >= 3);
    await broker.publisher.publish(interleaved(3, 30, 11));
    fanout.trouble = 'none';
    await until(() => observer.distinct === 60);
    expect(observer.outOfOrder).toBe(0);
  });

  it('[DEG] takes nothing from the queue while Redis is unavailable, and continues where it stopped', async () => {
    await dispatcher.start();
    fanout.trouble = 'away';
    await broker.publisher.publish(interleaved(3, 30));
    await until(() => fanout.attempts >= 2);
    // Longer than the retries in place: by then the messages are back in the queue.
    await sleep(4_000);
    const { attempts } = fanout;
    await sleep(500);
    expect(fanout.attempts).toBe(attempts);
    expect(dispatcher.healthy).toBe(false);
    fanout.trouble = 'none';
    await until(() => observer.distinct === 30);
    expect(observer.outOfOrder).toBe(0);
    expect(dispatcher.healthy).toBe(true);
  });

  it('[DEG] drops ephemeral messages rather than sending them late', async () => {
    await dispatcher.start();
    fanout.trouble = 'refuses_all';
    broker.publisher.publishEphemeral({ v: 1, type: 'control.tick', data: { revocations_head: 1 } });
    await until(() => fanout.attempts === 1);
    await sleep(200);
    expect(fanout.attempts).toBe(1);
  });

  it('[DEG] continues to deliver when Redis refuses only the stream', async () => {
    await dispatcher.start();
    fanout.trouble = 'refuses_streams';
    await broker.publisher.publish(interleaved(3, 30));
    await until(() => observer.distinct === 30);
    expect(observer.frames).toBe(30);
    expect(await metrics.collect()).toMatch(/chat_dispatch_errors_total\{reason="stream_refused"\} [1-9]/);
  });

  it('starts while Redis is unavailable', async () => {
    fanout.trouble = 'away';
    await broker.publisher.publish(interleaved(1, 5));
    await dispatcher.start();
    await sleep(300);
    expect(fanout.attempts).toBe(0);
    fanout.trouble = 'none';
    await until(() => observer.distinct === 5);
  });

  /** The dispatcher of `beforeEach` stands still; this one runs its periodic work at every turn. */
  async function sweepingOver(consumer: EventConsumer): Promise<Dispatcher> {
    const lastSeen = createMemoryLastSeen();
    const sweeping = createDispatcher({ consumer, fanout, lastSeen, logger: testLogger, metrics, sweepIntervalMs: 10 });
    await sweeping.start();
    return sweeping;
  }

  /** The consumer of the broker, except for what a test makes fail. */
  function consumerWith(changed: Partial<EventConsumer>): EventConsumer {
    const { consumer } = broker;
    return {
      start: (handler) => consumer.start(handler),
      pause: () => consumer.pause(),
      resume: () => consumer.resume(),
      close: () => consumer.close(),
      emptyDeadLetters: () => consumer.emptyDeadLetters(),
      keepErasures: (erasures) => consumer.keepErasures(erasures),
      retryErasures: (finish) => consumer.retryErasures(finish),
      connected: true,
      consuming: true,
      ...changed,
    };
  }

  it('[ERA5] retries until Redis has removed an erased event from the stream', async () => {
    const sweeping = await sweepingOver(broker.consumer);
    fanout.trouble = 'refuses_streams';
    await broker.publisher.publish([erasedEvent(7, 3), erasedEvent(8, 2), erasedEvent(7, 9), messageEvent(9, 1)]);
    await until(() => observer.distinct === 4);
    await until(async () => /reason="erasure_unfinished"\} [1-9]/.test(await metrics.collect()));
    expect(await metrics.collect()).toContain('chat_erasures_pending 3');
    expect(fanout.scrubs).toEqual([]);
    fanout.trouble = 'none';
    await until(async () => (await metrics.collect()).includes('chat_erasures_pending 0'));
    const { attempts } = fanout;
    await sweeping.stop();
    expect(fanout.scrubs.toSorted()).toEqual([
      [7, 3],
      [7, 9],
      [8, 2],
    ]);
    expect(fanout.attempts).toBe(attempts);
  });

  it('[ERA5] asks a refusing Redis only once per round, however many erasures are unfinished', async () => {
    fanout.trouble = 'refuses_streams';
    const { consumer } = broker;
    let rounds = 0;
    const counting = consumerWith({
      retryErasures: (finish) => {
        rounds += 1;
        return consumer.retryErasures(finish);
      },
    });
    await consumer.keepErasures(
      Array.from({ length: 50 }, (_, index) => ({ v: 1, from: 'stream', session_id: index + 1, through_seq: 1 })),
    );
    const sweeping = await sweepingOver(counting);
    await until(() => rounds >= 3);
    await sweeping.stop();
    expect(fanout.attempts).toBeLessThanOrEqual(rounds);
    expect(await metrics.collect()).toContain('chat_erasures_pending 50');
  });

  it('[ERA5] dead letters that cannot be emptied delay no event and are emptied later, once', async () => {
    let failed = 0;
    let emptied = 0;
    let works = false;
    const emptyDeadLetters = async (): Promise<void> => {
      if (works) emptied += 1;
      else failed += 1;
      if (!works) throw new Error('the queue does not respond');
    };
    const sweeping = await sweepingOver(consumerWith({ emptyDeadLetters }));
    await broker.publisher.publish([erasedEvent(7, 3), messageEvent(9, 1)]);
    await until(() => observer.distinct === 2 && failed >= 3);
    await broker.publisher.publish([erasedEvent(8, 3), messageEvent(9, 2)]);
    await until(() => observer.distinct === 4);
    // If they were requeued, they would have come again with each attempt.
    expect(observer.frames).toBe(4);
    works = true;
    await until(() => emptied > 0);
    await broker.publisher.publish([messageEvent(9, 3)]);
    await until(() => observer.distinct === 5);
    await sweeping.stop();
    expect(emptied).toBe(1);
    expect(await metrics.collect()).toContain('chat_dispatch_events_total{result="dispatched",kind="durable"} 5');
  });

  it('[ERA5] redelivers an erasure that RabbitMQ did not keep, and nothing else', async () => {
    fanout.trouble = 'refuses_streams';
    let refusals = 0;
    const keepErasures = async (): Promise<void> => {
      refusals += 1;
      throw new UnavailableError('rabbitmq');
    };
    const sweeping = await sweepingOver(consumerWith({ keepErasures }));
    await broker.publisher.publish([erasedEvent(7, 3), messageEvent(9, 1)]);
    await until(() => refusals >= 2);
    expect(await metrics.collect()).toContain('chat_erasures_pending 1');
    await broker.publisher.publish([messageEvent(9, 2)]);
    await until(() => observer.distinct === 3);
    fanout.trouble = 'none';
    await until(async () => (await metrics.collect()).includes('chat_erasures_pending 0'));
    await sweeping.stop();
    expect(fanout.scrubs).toEqual([[7, 3]]);
    // Each redelivery brought only the erasure.
    expect(observer.frames).toBe(refusals + 3);
  });

  it('[ERA5] reports an erasure that waits for redelivery, whatever else is dispatched meanwhile', async () => {
    fanout.trouble = 'refuses_streams';
    const handler = Promise.withResolvers<Parameters<EventConsumer['start']>[0]>();
    const keepErasures = (): Promise<void> => Promise.reject(new UnavailableError('rabbitmq'));
    const start = async (taken: Parameters<EventConsumer['start']>[0]): Promise<void> => handler.resolve(taken);
    const waiting = await sweepingOver(consumerWith({ start, keepErasures }));
    const deliver = await handler.promise;
    let acked = 0;
    const delivery = ({ event }: OutgoingEvent): Delivery => {
      const ack = (): void => void (acked += 1);
      return { kind: 'event', event, redelivered: false, traceparent: undefined, ack, refuse: () => undefined };
    };
    await deliver([delivery(erasedEvent(7, 3))]);
    // A tick comes every second, even while the events of the queue are requeued.
    const tick = { v: 1, type: 'control.tick', data: { revocations_head: 0 } } as const;
    for (const other of [delivery(messageEvent(9, 1)), { kind: 'ephemeral', message: tick } as const]) {
      await deliver([other]);
      expect(await metrics.collect()).toContain('chat_erasures_pending 1');
    }
    expect(acked).toBe(1);
    fanout.trouble = 'none';
    await deliver([delivery(erasedEvent(7, 3))]);
    expect(await metrics.collect()).toContain('chat_erasures_pending 0');
    await waiting.stop();
  });

  it('[OPS2] is unhealthy while a batch is stuck, and healthy as soon as it gets through', async () => {
    const lastSeen = createMemoryLastSeen();
    const { consumer } = broker;
    const waiting = createDispatcher({ consumer, fanout, lastSeen, logger: testLogger, metrics, standstillMs: 50 });
    await waiting.start();
    await until(() => waiting.healthy);
    fanout.trouble = 'refuses_all';
    await broker.publisher.publish(interleaved(1, 1));
    // Before it requeues the batch, which takes three seconds.
    await until(() => !waiting.healthy, { timeoutMs: 2_000 });
    expect([consumer.connected, fanout.connected]).toEqual([true, true]);
    fanout.trouble = 'none';
    await until(() => waiting.healthy);
    expect(observer.distinct).toBe(1);
    await waiting.stop();
    expect(waiting.healthy).toBe(false);
  });

  it('[OPS2] is unhealthy while its consumer does not consume', async () => {
    let consuming = false;
    const stopped = consumerWith({});
    Object.defineProperty(stopped, 'consuming', { get: () => consuming });
    const waiting = await sweepingOver(stopped);
    expect(waiting.healthy).toBe(false);
    consuming = true;
    expect(waiting.healthy).toBe(true);
    await waiting.stop();
  });

  it('[OPS] continues to repair last_seen after an attempt failed', async () => {
    let sweeps = 0;
    const lastSeen = createMemoryLastSeen();
    const sweeping = createDispatcher({
      consumer: createMemoryBroker().consumer,
      fanout,
      lastSeen: {
        begin: (epoch, changed) => lastSeen.begin(epoch, changed),
        record: (entries) => lastSeen.record(entries),
        read: (session) => lastSeen.read(session),
        close: () => lastSeen.close(),
        sweep: async () => {
          sweeps += 1;
          if (sweeps === 1) throw new Error('redis is away');
          return 1;
        },
      },
      logger: testLogger,
      metrics,
      sweepIntervalMs: 10,
    });
    await sweeping.start();
    await until(() => sweeps >= 2);
    await sweeping.stop();
    expect(await metrics.collect()).toContain('chat_dispatch_errors_total{reason="sweep_failed"} 1');
  });
});
