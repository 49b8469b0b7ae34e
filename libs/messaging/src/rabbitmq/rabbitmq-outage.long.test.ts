import { DISPATCHER_QUEUE } from '@chat-realtime/protocol';
import { type ManagedServer, sleep, startRabbit, until } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectRabbitConsumer } from './consumer.ts';
import { QueueSilentError } from './own-queues.ts';
import { publishAll } from '../testing/event-queue-suite.ts';
import { deleteTopology, evaluate } from '../testing/rabbit-admin.ts';
import { collect, RabbitClients, relay, seqs } from '../testing/rabbit-clients.ts';
import { messageEvent, messageEvents, testLogger } from '../testing/samples.ts';

let server: ManagedServer;
const clients = new RabbitClients(() => server);

beforeAll(async () => {
  server = await startRabbit();
}, 120_000);
afterAll(() => server.stop());

describe('rabbitmq that is killed, wiped or not started yet', () => {
  afterEach(() => clients.close());

  // The queue is young here, so that RabbitMQ 3.10 may lose it and refuse everything: it is created anew then.
  it('continues in order after kill -9 under load, even if the broker lost a young queue', async () => {
    await deleteTopology(server);
    const publisher = clients.publisher();
    const seen = collect(clients.consumer());
    const all = messageEvents(1, 1, 3_000);
    const relaying = relay(publisher, all);
    await until(() => seen.first.length > 300);
    await server.kill();
    expect((await publisher.publish([messageEvent(1, 1)])).confirmed).toBe(0);
    await server.start();
    await relaying;
    await until(() => seen.first.length === 3_000, { timeoutMs: 60_000 });
    expect(seen.first).toEqual(seqs(1, 3_000));
  }, 180_000);

  it('gives up a connection on which a queue leaves its consumer unanswered', async () => {
    await deleteTopology(server);
    const publisher = clients.publisher();
    const warned: unknown[] = [];
    const warn = (details: object): void => void ('err' in details && warned.push(details.err));
    const consumer = connectRabbitConsumer({ url: server.url, logger: { ...testLogger, warn } });
    try {
      const seen = collect(consumer);
      await publishAll(publisher, messageEvents(1, 1, 5));
      await until(() => seen.first.length === 5, { timeoutMs: 30_000 });
      await consumer.pause();
      const process = `list_to_atom("%2F_${DISPATCHER_QUEUE}")`;
      await evaluate(server, `sys:suspend(${process}).`);
      void consumer.resume();
      await until(() => warned.some((error) => error instanceof QueueSilentError), {
        timeoutMs: 20_000,
        what: 'the silence is noticed',
      });
      await evaluate(server, `sys:resume(${process}).`);
      await relay(publisher, messageEvents(1, 6, 10));
      await until(() => seen.first.length === 10, { timeoutMs: 60_000, what: 'it goes on' });
      expect(seen.first).toEqual(seqs(1, 10));
    } finally {
      await consumer.close();
    }
  }, 180_000);

  it('reports everything as missing if the broker lost its data', async () => {
    await deleteTopology(server);
    const publisher = clients.publisher();
    const told: boolean[] = [];
    publisher.onConnected(({ queueWasMissing }) => void told.push(queueWasMissing));
    const seen = collect(clients.consumer());
    await publishAll(publisher, messageEvents(1, 1, 5));
    await until(() => seen.first.length === 5);
    await server.wipe();
    await until(() => publisher.connected, { timeoutMs: 30_000 });
    expect(told).toEqual([true, true]);
    await relay(publisher, messageEvents(1, 1, 10));
    await until(() => seen.first.length === 10, { timeoutMs: 30_000 });
    expect(seen.first).toEqual(seqs(1, 10));
  }, 120_000);

  it('starts before the broker exists', async () => {
    await server.stop();
    const publisher = clients.publisher();
    const seen = collect(clients.consumer());
    expect((await publisher.publish([messageEvent(1, 1)])).confirmed).toBe(0);
    await sleep(500);
    await server.start();
    await deleteTopology(server);
    await relay(publisher, messageEvents(1, 1, 5));
    await until(() => seen.first.length >= 5, { timeoutMs: 30_000 });
    expect(seen.first).toEqual(seqs(1, 5));
  }, 120_000);
});
