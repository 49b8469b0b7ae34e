import { ERASURE_QUEUE, type PendingErasure } from '@chat-realtime/protocol';
import { type ManagedServer, startRabbit, until } from '@chat-realtime/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EventConsumer } from '../ports/event-queue.ts';
import { depth, evaluate, give, holds, withChannel } from '../testing/rabbit-admin.ts';
import { RabbitClients } from '../testing/rabbit-clients.ts';
import { purgeEventQueue } from './dead-letters.ts';

let server: ManagedServer;
const clients = new RabbitClients(() => server);
beforeAll(async () => {
  server = await startRabbit();
}, 120_000);
afterAll(() => server.stop());

const POLICY = '<<"/">>, <<"limit">>';
const setLimit = `rabbit_policy:set(${POLICY}, <<"erasures">>, [{<<"delivery-limit">>, 20}], 0, <<"queues">>, <<"test">>).`;
const ofStream = (sessionId: number): PendingErasure => ({
  v: 1,
  from: 'stream',
  session_id: sessionId,
  through_seq: 3,
});

async function connected(): Promise<EventConsumer> {
  const consumer = clients.consumer();
  await until(() => consumer.connected, { what: 'the consumer', timeoutMs: 30_000 });
  return consumer;
}

describe('unfinished erasures', () => {
  afterEach(async () => {
    await clients.close();
    await withChannel(server, (channel) => channel.deleteQueue(ERASURE_QUEUE));
  });

  it('[ERA5] are kept across a restart of dispatcher and broker, in their order, and no longer than needed', async () => {
    const kept: PendingErasure[] = [ofStream(7), { v: 1, from: 'dead_letters' }, ofStream(8)];
    await (await connected()).keepErasures(kept);
    await clients.close();
    await server.restart();
    const consumer = await connected();
    const seen: PendingErasure[] = [];
    const finish = async (erasure: PendingErasure): Promise<boolean> => {
      seen.push(erasure);
      return erasure.from === 'stream';
    };
    expect(await consumer.retryErasures(finish)).toBe(1);
    expect(seen).toEqual(kept);
    seen.length = 0;
    expect(await consumer.retryErasures(finish)).toBe(1);
    expect(seen).toEqual([{ v: 1, from: 'dead_letters' }]);
    expect(await consumer.retryErasures(async () => true)).toBe(0);
    await holds(server, ERASURE_QUEUE, 0);
  }, 120_000);

  it('[ERA5] are retried for as long as it takes: no delivery limit discards them', async () => {
    const consumer = await connected();
    // Every quorum queue of RabbitMQ 4 has such a limit, of 20; the broker of these tests is older.
    await evaluate(server, setLimit);
    await consumer.keepErasures([ofStream(7), ofStream(8)]);
    for (let round = 0; round < 30; round += 1) expect(await consumer.retryErasures(async () => false)).toBe(2);
    const seen: PendingErasure[] = [];
    await consumer.retryErasures(async (erasure) => {
      seen.push(erasure);
      return true;
    });
    expect(seen).toEqual([ofStream(7), ofStream(8)]);
  }, 120_000);

  it('[ERA5] stay if the dispatcher dies during a retry', async () => {
    const consumer = await connected();
    await consumer.keepErasures([ofStream(7), ofStream(8)]);
    const dying = consumer.retryErasures(async () => {
      await clients.close();
      return true;
    });
    await expect(dying).rejects.toThrow();
    const seen: PendingErasure[] = [];
    await (await connected()).retryErasures(async (erasure) => {
      seen.push(erasure);
      return true;
    });
    expect(seen.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
      ofStream(7),
      ofStream(8),
    ]);
  }, 120_000);

  it('are left alone if a newer version has written them', async () => {
    const consumer = await connected();
    await consumer.keepErasures([ofStream(7)]);
    const newer = '{"v":2,"from":"elsewhere"}';
    await give(server, '', ERASURE_QUEUE, newer, { persistent: true });
    await holds(server, ERASURE_QUEUE, 2);
    expect(await consumer.retryErasures(async () => true)).toBe(1);
    await holds(server, ERASURE_QUEUE, 1);
    const left = await withChannel(server, (channel) => channel.get(ERASURE_QUEUE, { noAck: true }));
    expect(left === false ? null : left.content.toString()).toBe(newer);
  }, 120_000);

  it('are deleted with the events when a backup is restored', async () => {
    const consumer = await connected();
    await consumer.keepErasures([ofStream(7)]);
    await holds(server, ERASURE_QUEUE, 1);
    await purgeEventQueue(server.url);
    expect(await depth(server, ERASURE_QUEUE)).toBe(0);
  }, 120_000);
});
