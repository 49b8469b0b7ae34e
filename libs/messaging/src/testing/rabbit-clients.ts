import type { QueueCount } from '@chat-realtime/protocol';
import { type ManagedServer, sleep, until } from '@chat-realtime/testkit';
import type { EventConsumer, EventPublisher, OutgoingEvent } from '../ports/event-queue.ts';
import { connectRabbitConsumer } from '../rabbitmq/consumer.ts';
import { connectRabbitPublisher } from '../rabbitmq/publisher.ts';
import { events } from './event-queue-suite.ts';
import { testLogger } from './samples.ts';

/** Publishers and consumers of one broker, closed together. */
export class RabbitClients {
  readonly #server: () => ManagedServer;
  readonly #open: { close(): Promise<void> }[] = [];

  constructor(server: () => ManagedServer) {
    this.#server = server;
  }

  publisher(options: { readonly confirmTimeoutMs?: number; readonly queues?: QueueCount } = {}): EventPublisher {
    const publisher = connectRabbitPublisher({ url: this.#server().url, logger: testLogger, ...options });
    this.#open.push(publisher);
    return publisher;
  }

  consumer(options: { readonly shareRoundMs?: number; readonly queues?: QueueCount } = {}): EventConsumer {
    const consumer = connectRabbitConsumer({ url: this.#server().url, logger: testLogger, ...options });
    this.#open.push(consumer);
    return consumer;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((adapter) => adapter.close()));
  }
}

/** Publishes like the relay: from the first unconfirmed event on until all are confirmed, and all again after a loss. */
export async function relay(publisher: EventPublisher, all: readonly OutgoingEvent[], batchSize = 50): Promise<void> {
  let done = 0;
  publisher.onConnected(({ queueWasMissing }) => {
    if (queueWasMissing) done = 0;
  });
  await until(
    async () => {
      const { confirmed } = await publisher.publish(all.slice(done, done + batchSize));
      done += confirmed;
      if (confirmed === 0) await sleep(50);
      return done >= all.length;
    },
    { timeoutMs: 90_000, everyMs: 0, what: 'everything confirmed' },
  );
}

/** Takes everything; `first`: each seq as it came for the first time. */
export function collect(consumer: EventConsumer): { first: number[]; redelivered: number } {
  const seen = { first: [] as number[], redelivered: 0 };
  const known = new Set<number>();
  void consumer.start(async (deliveries) => {
    for (const delivery of events(deliveries)) {
      const seq = delivery.event.seq ?? 0;
      if (known.has(seq)) seen.redelivered += 1;
      else seen.first.push(seq);
      known.add(seq);
      delivery.ack();
    }
  });
  return seen;
}

export const seqs = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
