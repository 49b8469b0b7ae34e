import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type EventPublisher, type OutgoingEvent } from '@chat-realtime/messaging';
import { connectRabbitPublisher } from '@chat-realtime/messaging/rabbitmq';
import { connectRedisFanout } from '@chat-realtime/messaging/redis';
import { DEAD_LETTER_QUEUE, DISPATCHER_QUEUE } from '@chat-realtime/protocol';
import {
  type AppProcess,
  freePort,
  type ManagedServer,
  redisCommand,
  sleep,
  startProcess,
  startRabbit,
  startRedis,
  until,
  endingAt,
  UNTOUCHED,
} from '@chat-realtime/testkit';
import { connect } from 'amqplib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Observer } from './testing/observer.ts';
import { erasedEvent, interleaved, messageEvent, testLogger } from './testing/samples.ts';

const SESSIONS = 20;
const PATIENCE = { timeoutMs: 60_000 };
const root = fileURLToPath(new URL('../../../', import.meta.url));

let rabbit: ManagedServer;
let redis: ManagedServer;
let dispatcher: AppProcess;
let address: string;
let publisher: EventPublisher;
let observer: Observer;
let closeObserver: () => Promise<void>;
let nextSeq = 1;
/** How often the broker lost confirmed messages (RabbitMQ 3.10 may lose a young queue when it is killed). */
let losses = 0;

beforeAll(async () => {
  // The process under test is the built one, as it is deployed.
  const built = promisify(execFile)(`${root}node_modules/.bin/tsc`, ['-b', `${root}apps/channel-dispatcher`]);
  [rabbit, redis] = await Promise.all([startRabbit(), startRedis(), built]);
  publisher = connectRabbitPublisher({ url: rabbit.url, logger: testLogger });
  publisher.onConnected(({ queueWasMissing }) => {
    if (queueWasMissing) losses += 1;
  });
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  dispatcher = await startProcess({
    name: 'channel-dispatcher',
    args: [`${root}apps/channel-dispatcher/dist/main.js`],
    env: {
      NODE_ENV: 'test',
      PORT: String(port),
      RABBITMQ_URL: rabbit.url,
      REDIS_URL: redis.url,
      REDIS_KEY_PREFIX: 't:',
    },
    ready: `${address}/readyz`,
  });
}, 180_000);
afterAll(async () => {
  await publisher.close();
  await dispatcher.kill();
  await Promise.all([rabbit.stop(), redis.stop()]);
});

beforeEach(async () => {
  await Promise.all([rabbit.start(), redis.start(), dispatcher.start()]);
  await watch();
});
afterEach(() => closeObserver());

async function watch(): Promise<void> {
  const fanout = connectRedisFanout({ url: redis.url, prefix: 't:', logger: testLogger });
  closeObserver = () => fanout.close();
  observer = new Observer();
  await until(() => fanout.connected, PATIENCE);
  await observer.watch(fanout);
}

/** New events for all sessions, published as the relay does: again from the first unconfirmed, or all after a loss. */
async function publish(count: number): Promise<OutgoingEvent[]> {
  const events = interleaved(SESSIONS, count, nextSeq);
  nextSeq += Math.ceil(count / SESSIONS);
  let done = 0;
  let lossesBefore = losses;
  await until(
    async () => {
      if (losses > lossesBefore) done = 0;
      lossesBefore = losses;
      const { confirmed } = await publisher.publish(events.slice(done, done + 500));
      done += confirmed;
      if (confirmed === 0) await sleep(50);
      return done >= events.length;
    },
    { ...PATIENCE, everyMs: 0, what: 'everything confirmed' },
  );
  return events;
}

/** User and system time of a process; the kernel counts in hundredths of a second. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function readiness(): Promise<{ status: number; body: string }> {
  const response = await fetch(`${address}/readyz`);
  return { status: response.status, body: await response.text() };
}

/** Nothing is left in the queue, and nothing was parked. */
async function expectQueuesEmpty(): Promise<void> {
  const model = await connect(rabbit.url);
  model.on('error', () => undefined);
  try {
    const channel = await model.createChannel();
    await until(async () => (await channel.checkQueue(DISPATCHER_QUEUE)).messageCount === 0, PATIENCE);
    expect((await channel.checkQueue(DEAD_LETTER_QUEUE)).messageCount).toBe(0);
  } finally {
    await model.close();
  }
}

describe('dispatcher between real servers', () => {
  it('[AMQP] dispatches at least 2,000 events a second of processor time, each once and in order', async () => {
    await publish(2_000);
    await until(() => observer.distinct === 2_000, PATIENCE);
    const started = performance.now();
    const before = processorSeconds(dispatcher.pid);
    await publish(10_000);
    await until(() => observer.distinct === 12_000, PATIENCE);
    const seconds = processorSeconds(dispatcher.pid) - before;
    const perSecond = Math.round(10_000 / ((performance.now() - started) / 1_000));
    console.info(`dispatched ${perSecond} events/s, published by 500 at a time; ${seconds} s of processor for 10,000`);
    expect(observer).toMatchObject({ frames: 12_000, outOfOrder: 0 });
    // CPU time of the process: how much of it a second contains depends on the machine.
    expect(10_000 / seconds).toBeGreaterThan(2_000);
    await expectQueuesEmpty();
  }, 120_000);

  it('[OPS] names the missing dependency in readyz', async () => {
    await until(async () => (await readiness()).status === 200);
    await redis.kill();
    await until(async () => (await readiness()).status === 503);
    expect((await readiness()).body).toMatch(/redis/);
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${address}/metrics`)).text()).toContain('chat_redis_connected 0');
    await redis.start();
    await until(async () => (await readiness()).status === 200, PATIENCE);
  }, 60_000);

  it('[DEG] loses nothing from the queue while Redis is unavailable, and puts nothing aside', async () => {
    await publish(500);
    await until(() => observer.distinct === 500, PATIENCE);
    const returns = () =>
      dispatcher.logs.filter(({ message }) => message === 'Redis unreachable; consumption paused').length;
    const before = returns();
    await redis.kill();
    const dark = await publish(2_000);
    // The dispatcher has given up its retries in place and requeued everything.
    await until(() => returns() > before, PATIENCE);
    await closeObserver();
    await redis.start();
    await watch();
    await until(() => observer.distinct >= dark.length - 500, PATIENCE);
    await publish(500);
    await expectQueuesEmpty();
    await until(() => observer.distinct >= dark.length, PATIENCE);
    expect(observer.outOfOrder).toBe(0);
  }, 120_000);

  it('[DEG] continues after RabbitMQ was killed under load', async () => {
    const publishing = publish(4_000);
    await until(() => observer.distinct > 500, PATIENCE);
    await rabbit.kill();
    await rabbit.start();
    await publishing;
    await until(() => observer.distinct === 4_000, PATIENCE);
    expect(observer.outOfOrder).toBe(0);
    await expectQueuesEmpty();
  }, 180_000);

  for (const point of ['dispatcher.afterReceive', 'dispatcher.beforeAck', 'dispatcher.afterAck'] as const) {
    it(`[AMQP] loses nothing when killed at ${point}`, async () => {
      await dispatcher.restart(endingAt(point, 'panic'));
      const publishing = publish(1_000);
      await dispatcher.exited;
      await publishing;
      await dispatcher.start(UNTOUCHED);
      await until(() => observer.distinct === 1_000, PATIENCE);
      expect(observer.outOfOrder).toBe(0);
      await expectQueuesEmpty();
    }, 90_000);
  }

  it('[DEG] loses nothing when all three are killed, in whatever order they return', async () => {
    for (const order of [
      [dispatcher, rabbit, redis],
      [redis, dispatcher, rabbit],
    ]) {
      await closeObserver();
      await publish(200);
      await Promise.all([dispatcher.kill(), redis.kill(), rabbit.kill()]);
      // A dispatcher without its servers is alive but not ready, so one does not wait for another.
      const starting: Promise<void>[] = [];
      for (const process of order) {
        starting.push(process.start());
        await sleep(700);
      }
      await Promise.all(starting);
      await watch();
      await publish(500);
      await until(() => observer.distinct >= 500, PATIENCE);
      expect(observer.outOfOrder).toBe(0);
      await expectQueuesEmpty();
    }
  }, 240_000);

  it('[ERA5] removes from the stream what Redis had refused to remove, even if it was killed in between', async () => {
    const of = async (session: number): Promise<number> => {
      const entries = JSON.stringify(await redisCommand(redis.url, 'XRANGE', 't:chat:staff:stream', '-', '+'));
      return entries.split(`of session ${session}, about`).length - 1;
    };
    const pending = async (): Promise<string | undefined> =>
      /^chat_erasures_pending (\d+)$/m.exec(await (await fetch(`${address}/metrics`)).text())?.[1];
    const mine = SESSIONS + 1;
    const others = SESSIONS + 2;
    const words = [messageEvent(mine, 1), messageEvent(others, 1)];
    await until(async () => (await publisher.publish(words)).confirmed === words.length, PATIENCE);
    await until(async () => (await of(mine)) === 1 && (await of(others)) === 1, PATIENCE);
    // A folder replaces its file: Redis cannot save, and accepts no writes.
    const file = join(redis.folder, 'data', 'dump.rdb');
    const saved = async (result: 'ok' | 'err'): Promise<void> => {
      await redisCommand(redis.url, 'BGSAVE');
      const done = async (): Promise<boolean> =>
        String(await redisCommand(redis.url, 'INFO', 'persistence')).includes(`bgsave_status:${result}`);
      await until(done, PATIENCE);
    };
    await mkdir(file);
    await redisCommand(redis.url, 'CONFIG', 'SET', 'save', '3600 1000000');
    await saved('err');
    await until(async () => (await publisher.publish([erasedEvent(mine, 2)])).confirmed === 1, PATIENCE);
    await until(async () => (await pending()) === '1', PATIENCE);
    await dispatcher.kill();
    await dispatcher.start();
    // New events are delivered while the stream accepts nothing.
    await until(async () => (await publisher.publish([messageEvent(others, 2)])).confirmed === 1, PATIENCE);
    await until(() => observer.distinct >= 4, PATIENCE);
    expect(await of(mine)).toBe(1);
    await rmdir(file);
    await saved('ok');
    await redisCommand(redis.url, 'CONFIG', 'SET', 'save', '');
    await until(async () => (await of(mine)) === 0, { timeoutMs: 90_000, what: 'the words of the erased chat to go' });
    expect(await of(others)).toBe(1);
    await until(async () => (await pending()) === '0', PATIENCE);
    await expectQueuesEmpty();
  }, 240_000);

  it('[OPS] stops within seconds of SIGTERM and leaves the rest in the queue', async () => {
    const publishing = publish(3_000);
    await until(() => observer.distinct > 200, PATIENCE);
    const started = performance.now();
    const status = await dispatcher.stop();
    expect(status.code).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);
    await publishing;
    await dispatcher.start();
    await until(() => observer.distinct === 3_000, PATIENCE);
    expect(observer.outOfOrder).toBe(0);
  }, 90_000);
});
