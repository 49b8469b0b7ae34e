import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { REDIS_USERS } from '@chat-realtime/messaging/redis';
import { redisCommand, type Stack, sleep, until } from '@chat-realtime/testkit';
import { z } from 'zod';
import { MetricsPage } from '../recorder/metrics.ts';

/** Two heartbeats of ten seconds: each side gives the other up. */
const HANGS_MS = 20_000;
const REFUSES_MS = 8_000;
const checksSchema = z.record(z.string(), z.string());
const SAVED = { timeoutMs: 20_000, everyMs: 50 };

/** The broker hangs as a host that swaps does: its connections stay open and nothing is answered, then it goes on. */
export async function hangRabbit({ rabbit }: Stack): Promise<void> {
  rabbit.pause();
  await sleep(HANGS_MS);
  rabbit.resume();
}

async function refusedByStream({ addresses }: Stack): Promise<number> {
  // Either may be the one that reads the queue.
  const both = [addresses.dispatcher, addresses.secondDispatcher].filter((address) => address !== null);
  const pages = await Promise.all(both.map((address) => MetricsPage.read(address)));
  return pages.reduce((sum, page) => sum + page.sum('chat_dispatch_errors_total', 'reason="stream_refused"'), 0);
}

/** The fault is one only if the dispatcher met it. */
async function metByDispatcher(of: Stack, meanwhile: () => Promise<void>): Promise<void> {
  const before = await refusedByStream(of);
  await meanwhile();
  const refused = (await refusedByStream(of)) - before;
  if (refused === 0) throw new Error('Redis refused the dispatcher nothing');
  console.log(`Redis refused ${refused} batches something`);
}

/**
 * Redis cannot save (a full disk, a folder it may not write) and takes no write: MISCONF. A folder in the place of its file
 * does the same to every user, root too.
 */
export async function fillDiskOfRedis(of: Stack): Promise<void> {
  const { redis } = of;
  const file = join(redis.folder, 'data', 'dump.rdb');
  const save = async (result: 'ok' | 'err'): Promise<void> => {
    await redisCommand(redis.url, 'BGSAVE');
    await until(
      async () => String(await redisCommand(redis.url, 'INFO', 'persistence')).includes(`bgsave_status:${result}`),
      { ...SAVED, what: `a save that ends ${result}` },
    );
  };
  await mkdir(file);
  await redisCommand(redis.url, 'CONFIG', 'SET', 'save', '3600 1000000');
  try {
    await save('err');
    await metByDispatcher(of, () => sleep(REFUSES_MS));
  } finally {
    await rmdir(file);
    await save('ok');
    await redisCommand(redis.url, 'CONFIG', 'SET', 'save', '');
  }
}

/** Redis has no memory left and evicts nothing: whatever would need some is refused. */
export async function fillMemoryOfRedis(of: Stack): Promise<void> {
  await redisCommand(of.redis.url, 'CONFIG', 'SET', 'maxmemory', '1');
  try {
    await metByDispatcher(of, () => sleep(REFUSES_MS));
  } finally {
    await redisCommand(of.redis.url, 'CONFIG', 'SET', 'maxmemory', '0');
  }
}

/** A dispatcher that has both its servers, and gets nothing through. */
async function standsStill(address: string): Promise<boolean> {
  const answer = await fetch(`${address}/readyz`);
  if (answer.status !== 503) return false;
  const { error } = z
    .object({ error: z.object({ details: z.object({ checks: checksSchema }) }) })
    .parse(await answer.json());
  const { rabbitmq, redis, consumption } = error.details.checks;
  return rabbitmq === 'ok' && redis === 'ok' && consumption !== 'ok';
}

/** Somebody took a right away from the dispatcher: Redis answers, and refuses every publish. */
export async function forbidPublishing({ redis, addresses }: Stack): Promise<void> {
  const rule = (change: string): Promise<unknown> =>
    redisCommand(redis.url, 'ACL', 'SETUSER', REDIS_USERS.dispatcher, change);
  const both = [addresses.dispatcher, addresses.secondDispatcher].filter((address) => address !== null);
  await rule('-publish');
  try {
    const says = async (): Promise<boolean> => (await Promise.all(both.map(standsStill))).includes(true);
    await until(says, { timeoutMs: 20_000, everyMs: 100, what: 'a dispatcher that says that it stands still' });
    await sleep(REFUSES_MS);
  } finally {
    await rule('+publish');
  }
}

/**
 * Redis goes and comes twice: once for less than a dispatcher waits in place, once for longer, so that everything is given
 * back and another dispatcher may be the one that goes on.
 */
export async function flapRedis({ redis }: Stack): Promise<void> {
  for (const awayMs of [1_000, 6_000]) {
    await redis.kill();
    await sleep(awayMs);
    await redis.start();
    await sleep(1_500);
  }
}
