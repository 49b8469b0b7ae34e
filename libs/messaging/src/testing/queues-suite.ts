import { DISPATCHER_QUEUE, QUEUE_COUNTS, type QueueCount, queueNames, sessionsExchange } from '@chat-realtime/protocol';
import { type ManagedServer, until } from '@chat-realtime/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventConsumer, OutgoingEvent } from '../ports/event-queue.ts';
import { events, publishAll } from './event-queue-suite.ts';
import { deleteTopology, depth, evaluate, withChannel } from './rabbit-admin.ts';
import { type RabbitClients, relay, seqs } from './rabbit-clients.ts';
import { messageEvent } from './samples.ts';

const SESSIONS = 40;
const FOUR = { queues: 4 } as const;

/** Seq `from` to `to` of every session, as a relay brings them: the sessions by turns. */
function rounds(from: number, to: number): OutgoingEvent[] {
  return seqs(from, to).flatMap((seq) => seqs(1, SESSIONS).map((session) => messageEvent(session, seq)));
}

/** What the consumers of one test were given, over all of them. */
class Readings {
  /** Each event once, in the order in which it came for the first time; by session. */
  readonly first = new Map<number, number[]>();
  /** As they came, repeats too. */
  readonly all: string[] = [];
  readonly counts: number[] = [];

  read(consumer: EventConsumer, delayMs = 0): void {
    const index = this.counts.push(0) - 1;
    void consumer.start(async (deliveries) => {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      for (const delivery of events(deliveries)) {
        const { session_id: session, seq } = delivery.event;
        const seen = this.first.get(session ?? 0) ?? [];
        this.first.set(session ?? 0, seen);
        if (!seen.includes(seq ?? 0)) seen.push(seq ?? 0);
        this.all.push(`${session}:${seq}`);
        this.counts[index] = (this.counts[index] ?? 0) + 1;
        delivery.ack();
      }
    });
  }

  get total(): number {
    return [...this.first.values()].reduce((sum, { length }) => sum + length, 0);
  }

  async expectAll(last: number): Promise<void> {
    await until(() => this.total >= SESSIONS * last, { timeoutMs: 60_000, what: 'everything to be read' });
    for (const session of seqs(1, SESSIONS))
      expect(this.first.get(session), `session ${session}`).toEqual(seqs(1, last));
  }
}

/** Events over several queues: order inside a session, everything once, through losses and changes. */
export function queuesSuite(server: () => ManagedServer, clients: RabbitClients): void {
  describe('rabbitmq with several queues', () => {
    afterEach(() => clients.close());

    it('[AMQP10] spreads sessions over the queues, each session into one', async () => {
      await deleteTopology(server());
      await publishAll(clients.publisher(FOUR), rounds(1, 3));
      const waiting = await until(async () => {
        const depths = await Promise.all(queueNames(4).map((queue) => depth(server(), queue)));
        return depths.reduce((sum, count) => sum + count, 0) === 3 * SESSIONS ? depths : false;
      });
      expect(Math.min(...waiting)).toBeGreaterThan(0);
      for (const count of waiting) expect(count % 3).toBe(0);
    });

    it('[AMQP10] keeps the order of each session when all connections are lost, with two readers that share', async () => {
      await deleteTopology(server());
      const readings = new Readings();
      const readers = [1, 2].map(() => clients.consumer({ ...FOUR, shareRoundMs: 300 }));
      for (const reader of readers) readings.read(reader);
      const publisher = clients.publisher(FOUR);
      await publishAll(publisher, rounds(1, 5));
      await readings.expectAll(5);
      // Whoever came first had all of them; the other has its share by now, or has it soon.
      let last = 5;
      await until(
        async () => {
          const before = [...readings.counts];
          last += 1;
          await publishAll(publisher, rounds(last, last));
          await readings.expectAll(last);
          return readings.counts.every((count, index) => count > (before[index] ?? 0));
        },
        { timeoutMs: 30_000, everyMs: 200, what: 'both to read' },
      );
      const further = relay(publisher, rounds(last + 1, last + 20), 100);
      await evaluate(server(), 'rabbit_networking:close_all_connections(<<"test">>).');
      await further;
      await readings.expectAll(last + 20);
      await readers[0]?.close();
      await publishAll(publisher, rounds(last + 21, last + 21));
      await readings.expectAll(last + 21);
    }, 120_000);
  });
}

/** The number of queues is changed while messages wait. */
export function queueChangesSuite(server: () => ManagedServer, clients: RabbitClients): void {
  describe('rabbitmq, from one number of queues to another', () => {
    afterEach(() => clients.close());

    it('[AMQP11] changes the number of queues while messages wait, without an event overtaking another', async () => {
      await deleteTopology(server());
      const readings = new Readings();
      let last = 0;
      const steps: QueueCount[] = [1, 4, 2, 1];
      for (const queues of steps) {
        // Dispatchers first, then the relay: both are replaced while there is a backlog.
        const publisher = clients.publisher({ queues });
        const consumer = clients.consumer({ queues });
        readings.read(consumer, 30);
        await until(async () => (await readersOf(server(), queueNames(queues))) > 0, { timeoutMs: 30_000 });
        await relay(publisher, rounds(last + 1, last + 6), SESSIONS);
        last += 6;
        await readings.expectAll(last);
        expect(readings.all).toHaveLength(SESSIONS * last);
        await clients.close();
        // What waits when the next ones come.
        const leftover = clients.publisher({ queues });
        await relay(leftover, rounds(last + 1, last + 4), SESSIONS);
        last += 4;
        await clients.close();
      }
      expect(await shapeOf(server())).toEqual([1]);
    }, 120_000);

    it('[AMQP11] goes on the old way while no dispatcher reads the new queues', async () => {
      await deleteTopology(server());
      const readings = new Readings();
      readings.read(clients.consumer());
      await publishAll(clients.publisher(), rounds(1, 1));
      await publishAll(clients.publisher(FOUR), rounds(2, 3));
      await readings.expectAll(3);
      expect(await shapeOf(server())).toEqual([1]);
      readings.read(clients.consumer(FOUR));
      await until(async () => (await readersOf(server(), queueNames(4))) === 4);
      await publishAll(clients.publisher(FOUR), rounds(4, 5));
      await readings.expectAll(5);
      expect(await shapeOf(server())).toEqual([4]);
    }, 60_000);
  });
}

/** Over how many queues `chat.events` spreads now, by its bindings. */
async function shapeOf(server: ManagedServer): Promise<number[]> {
  const source = '{resource, <<"/">>, exchange, <<"chat.events">>}';
  const answer = await evaluate(
    server,
    `lists:usort([binary_to_list(element(4, element(4, B))) || B <- rabbit_binding:list_for_source(${source})]).`,
  );
  return QUEUE_COUNTS.filter((count) =>
    answer.includes(`"${count === 1 ? DISPATCHER_QUEUE : sessionsExchange(count)}"`),
  );
}

function readersOf(server: ManagedServer, queues: readonly string[]): Promise<number> {
  return withChannel(server, async (channel) => {
    const counts = await Promise.all(queues.map((queue) => channel.checkQueue(queue)));
    return counts.reduce((sum, { consumerCount }) => sum + consumerCount, 0);
  });
}
