import { createMemoryLastSeen, type LastSeen } from '@chat-realtime/messaging';
import type { AcksRequest } from '@chat-realtime/protocol';
import { createLogger } from '@chat-realtime/service-kit';
import { expect, it } from 'vitest';
import { pause } from '../clock.ts';
import { range } from '../testing/socket-client.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { CountingMetrics } from '../testing/virtual-gateway.ts';
import { AckBuffer } from './ack-buffer.ts';

interface Received {
  readonly batches: number[];
  readonly marks: Map<number, number>;
}

/** A chat-service that is slow and fails as often as the test wants. */
function bufferOver({ failures = 0, latencyMs = 0, lastSeen = createMemoryLastSeen() } = {}): {
  acks: AckBuffer;
  received: Received;
  clock: VirtualClock;
} {
  const clock = new VirtualClock();
  const received: Received = { batches: [], marks: new Map() };
  let left = failures;
  const acks = new AckBuffer({
    clock,
    source: {
      catchup: () => Promise.reject(new Error('nobody asks')),
      async acks(request: AcksRequest): Promise<void> {
        await pause(clock, latencyMs);
        if (left > 0) {
          left -= 1;
          throw new Error('away');
        }
        received.batches.push(request.acks.length);
        for (const ack of request.acks) received.marks.set(ack.session_id, ack.last_id);
      },
    },
    lastSeen,
    metrics: new CountingMetrics(),
    logger: createLogger({ service: 'test', level: 'silent' }),
  });
  return { acks, received, clock };
}

/** Resolves when it has stopped, with how long that took. */
async function stop(acks: AckBuffer, clock: VirtualClock): Promise<number> {
  const since = clock.now();
  let took: number | undefined;
  const stopped = acks.stop().then(() => {
    took = clock.now() - since;
  });
  const ended = await clock.until(() => took, 'the stop');
  await stopped;
  return ended;
}

it('[ACK5] sends more than a thousand marks within a second, a thousand per call', async () => {
  const { acks, received, clock } = bufferOver();
  for (const id of range(1, 5_500)) acks.record(id, 'client', id);
  await clock.advance(900);
  expect(received.marks.size).toBe(5_500);
  expect(received.batches).toEqual([1_000, 1_000, 1_000, 1_000, 1_000, 500]);
});

it('[ACK5] sends the newest mark of a participant, at most once a second', async () => {
  const { acks, received, clock } = bufferOver();
  for (let lastId = 1; lastId <= 60; lastId += 1) {
    acks.record(1, 'client', lastId);
    await clock.advance(50);
  }
  await clock.advance(1_000);
  expect(received.marks.get(1)).toBe(60);
  expect(received.batches.length).toBeLessThanOrEqual(5);
});

it('[ACK6] a stop sends all batches, including marks recorded during a call', async () => {
  const { acks, received, clock } = bufferOver({ latencyMs: 20 });
  for (const id of range(1, 3_000)) acks.record(id, 'client', 1);
  void acks.flush();
  for (const id of range(1, 3_000)) acks.record(id, 'client', 2);
  await stop(acks, clock);
  expect(acks.size).toBe(0);
  expect(new Set(received.marks.values())).toEqual(new Set([2]));
});

it('[ACK6] a stop retries while chat-service is unavailable, and gives up after a limited time', async () => {
  const briefly = bufferOver({ failures: 3 });
  briefly.acks.record(1, 'client', 7);
  await stop(briefly.acks, briefly.clock);
  expect(briefly.received.marks.get(1)).toBe(7);

  const forGood = bufferOver({ failures: Number.POSITIVE_INFINITY, latencyMs: 50 });
  forGood.acks.record(1, 'client', 7);
  expect(await stop(forGood.acks, forGood.clock)).toBeLessThan(3_500);
  expect(forGood.acks.size).toBe(1);
});

it('[RDS10] sends no ids of a replaced database, neither to chat-service nor to last_seen', async () => {
  const lastSeen = createMemoryLastSeen();
  const { acks, received, clock } = bufferOver({ latencyMs: 20, lastSeen });
  acks.begin('before', false);
  for (const id of range(1, 2_500)) acks.record(id, 'client', 900);
  void acks.flush();
  await clock.until(() => (received.batches.length === 1 ? true : undefined), 'the first batch');
  acks.begin('after', true);
  await clock.advance(200);
  // One call was under way, and chat-service compares its ids with its own messages.
  expect(received.batches.length).toBeLessThanOrEqual(2);
  expect(acks.size).toBe(0);
  acks.record(1, 'client', 12);
  await stop(acks, clock);
  expect(received.marks.get(1)).toBe(12);
  expect(await lastSeen.read(1)).toMatchObject([{ lastId: 12 }]);
});

it('[RDS10] starts the marks of a new database with the next mark if Redis was unavailable', async () => {
  const inMemory = createMemoryLastSeen();
  let away = true;
  const lastSeen: LastSeen = {
    begin: (epoch, changed) => (away ? Promise.reject(new Error('away')) : inMemory.begin(epoch, changed)),
    record: (entries) => inMemory.record(entries),
    read: (sessionId) => inMemory.read(sessionId),
    sweep: () => inMemory.sweep(),
    close: () => inMemory.close(),
  };
  await inMemory.begin('before', false);
  await inMemory.record([{ sessionId: 1, participant: 'client', lastId: 900, at: 1 }]);
  const { acks, clock } = bufferOver({ lastSeen });
  acks.begin('after', true);
  await acks.flush();
  away = false;
  acks.record(1, 'client', 12);
  await stop(acks, clock);
  expect(await inMemory.read(1)).toMatchObject([{ lastId: 12 }]);
});
