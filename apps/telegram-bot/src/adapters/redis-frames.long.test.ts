import { type Database, openDatabase } from '@chat-realtime/database';
import { STAFF_STREAM_FIELD, STAFF_STREAM_KEY, type StaffEvent, staffEventSchema } from '@chat-realtime/protocol';
import { createLogger } from '@chat-realtime/service-kit';
import { type ManagedServer, redisCommand, startRedis, until } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StaffFrames } from '../ports.ts';
import { FeedReader } from '../feed/feed-reader.ts';
import { SendStore } from '../storage/sends.ts';
import { redisFrames } from './redis-frames.ts';

const PREFIX = 'bot:';
const KEY = PREFIX + STAFF_STREAM_KEY;
const logger = createLogger({ service: 'telegram-bot', level: 'silent' });

/** What chat-service has; Redis may lose any part of it. */
const source: StaffEvent[] = [];

function event(n: number): StaffEvent {
  const data = { id: n, sender_type: 'client', sender_id: null, sender_name: null, body: 'x', attachments: [] };
  return staffEventSchema.parse({
    ...{ type: 'chat.message.client', session_id: 1, seq: n, feed_seq: n },
    data: { ...data, created_at: '2026-01-01T10:00:00Z', client_message_id: null },
  });
}

/** Frames can be held back, as by a slow bot, or by one that is killed before it handles them. */
class Gate implements StaffFrames {
  readonly #frames: StaffFrames;
  #open: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;
  /** Frames that Redis has delivered. */
  given = 0;

  constructor(frames: StaffFrames) {
    this.#frames = frames;
  }

  get connected(): boolean {
    return this.#frames.connected;
  }

  close(): void {
    this.#open = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release();
  }

  start(listener: (frame: string) => void | Promise<void>, missed: () => void): void {
    this.#frames.start(async (frame) => {
      this.given += 1;
      await this.#open;
      await listener(frame);
    }, missed);
  }

  stop(): Promise<void> {
    this.release();
    return this.#frames.stop();
  }
}

describe('[TG15] the stream of the staff feed', () => {
  let redis: ManagedServer;
  let database: Database;
  let gate: Gate;
  let reader: FeedReader;
  /** The positions from which the feed was read. */
  let asked: (number | undefined)[];

  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), openDatabase('pglite:memory')]);
    await sql`INSERT INTO telegram_relay (feed_seq) VALUES (0)`.execute(database.kysely);
  });
  afterAll(async () => {
    await redis.stop();
    await database.close();
  });

  const begin = (): { readonly gate: Gate; readonly reader: FeedReader } => {
    const frames = new Gate(redisFrames({ url: redis.url, prefix: PREFIX, logger }));
    const started = new FeedReader({
      database,
      source: {
        feed: async (after) => {
          asked.push(after);
          const events = source.filter(({ feed_seq: n = 0 }) => n > (after ?? 0));
          return { events, cursor: source.length, hasMore: false, reset: false };
        },
        acks: async () => undefined,
      },
      frames,
      sends: new SendStore(database, 77),
      sendsFor: async ({ feed_seq: n }) => [
        { to: { kind: 'anybody', chatId: 9 }, content: { kind: 'text', text: String(n) } },
      ],
      logger,
      added: () => undefined,
      leftOut: () => undefined,
      // The head check finds nothing in these tests.
      headCheckMs: 3_600_000,
    });
    started.start();
    return { gate: frames, reader: started };
  };

  beforeEach(async () => {
    await sql`DELETE FROM telegram_send`.execute(database.kysely);
    await sql`UPDATE telegram_relay SET feed_seq = 0`.execute(database.kysely);
    source.length = 0;
    asked = [];
    await redisCommand(redis.url, 'FLUSHALL');
    ({ gate, reader } = begin());
    await until(async () => ((await hasGroup()) ? true : undefined), { timeoutMs: 20_000, what: 'the group' });
    await write(3);
    await told(3);
    asked = [];
  });
  afterEach(() => reader.stop());

  const hasGroup = async (): Promise<boolean> => {
    const groups = await redisCommand(redis.url, 'XINFO', 'GROUPS', KEY).catch(() => []);
    return Array.isArray(groups) && groups.length > 0;
  };
  /** `lost`: chat-service has the event, and Redis never will. */
  const write = async (count: number, lost = false): Promise<void> => {
    for (let left = count; left > 0; left -= 1) {
      const next = event(source.length + 1);
      source.push(next);
      if (!lost) await redisCommand(redis.url, 'XADD', KEY, '*', STAFF_STREAM_FIELD, JSON.stringify(next));
    }
  };
  const queued = async (): Promise<number[]> => {
    const { rows } = await sql<{ n: string }>`SELECT content->>'text' AS n FROM telegram_send ORDER BY id`.execute(
      database.kysely,
    );
    return rows.map(({ n }) => Number(n));
  };
  /** Each event once, in order. */
  const told = async (count: number): Promise<void> => {
    await until(async () => ((await queued()).length >= count ? true : undefined), {
      timeoutMs: 20_000,
      what: `${count} events are told`,
    });
    expect(await queued()).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  };

  it('is sufficient: the feed is not requested', async () => {
    await write(20);
    await told(23);
    expect(asked).toEqual([]);
  });

  it("is started again if its group is gone, and the feed is read from the bot's position", async () => {
    await redisCommand(redis.url, 'XGROUP', 'DESTROY', KEY, 'telegram-bot');
    await write(4);
    await told(7);
    expect(asked[0]).toBe(3);
    await write(2);
    await told(9);
  });

  it('leaves a gap if it was trimmed while the bot was slow, and the feed fills it', async () => {
    gate.close();
    await write(1);
    await until(() => (gate.given === 4 ? true : undefined), { timeoutMs: 20_000, what: 'a frame that waits' });
    await write(9);
    await redisCommand(redis.url, 'XTRIM', KEY, 'MAXLEN', '2');
    gate.release();
    await told(13);
    expect(asked).toEqual([4]);
  });

  it('may be wiped: nothing is lost, including what was written meanwhile', async () => {
    await redisCommand(redis.url, 'FLUSHALL');
    await write(3, true);
    await told(6);
    expect(asked[0]).toBe(3);
    await write(3);
    await told(9);
  });

  it('may come from a Redis that was killed and returned empty: nothing is lost', async () => {
    await redis.kill();
    await write(5, true);
    await redis.start();
    await told(8);
    expect(asked[0]).toBe(3);
    await write(2);
    await told(10);
  });

  it('redelivers what a killed bot had not acknowledged, and it is sent once', async () => {
    gate.close();
    await write(5);
    await until(() => (gate.given > 3 ? true : undefined), { timeoutMs: 20_000, what: 'frames that wait' });
    const killed = reader;
    const dead = gate;
    ({ gate, reader } = begin());
    await told(8);
    expect(asked[0]).toBe(3);
    await until(
      async () => {
        const pending = await redisCommand(redis.url, 'XPENDING', KEY, 'telegram-bot');
        return Array.isArray(pending) && pending[0] === 0 ? true : undefined;
      },
      { timeoutMs: 20_000, what: 'all is acknowledged' },
    );
    dead.release();
    await killed.stop();
    await told(8);
  });
});
