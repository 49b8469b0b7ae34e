import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisStreamReader, type RedisStreamOptions, connectRedisStream } from '@chat-realtime/messaging/redis';
import type { StaffFrames } from '../ports.ts';

const GROUP = 'telegram-bot';
const RETRY_MS = 1_000;

/**
 * `chat:staff:stream` through a consumer group. What Redis has lost is in the feed: if group or stream is gone, or the
 * position was trimmed away, the reader starts at the end and reports a possible gap.
 */
export function redisFrames(options: Omit<RedisStreamOptions, 'group' | 'consumer'>): StaffFrames {
  const reader: RedisStreamReader = connectRedisStream({ ...options, group: GROUP, consumer: hostname() });
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  return {
    get connected() {
      return reader.connected;
    },
    start: (listener, missed) => {
      const run = async (): Promise<void> => {
        while (!stopped) {
          try {
            const { entries, begun } = await reader.read();
            if (begun) missed();
            for (const { frame } of entries) await listener(frame);
            await reader.ack(entries.map(({ id }) => id));
          } catch {
            // The link says itself why it is away; the feed is read meanwhile.
            if (!stopped) await sleep(RETRY_MS);
          }
        }
      };
      running = run();
    },
    stop: async () => {
      stopped = true;
      reader.close();
      await running;
    },
  };
}
