// A Redis replica is promoted under traffic and the old master becomes read-only, its connections still open: the live path is back in 5 s. About a minute.
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { type ManagedServer, redisCommand, type Stack, startRedis, startStack, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bounds } from '../faults/checker/history.ts';
import { runCase } from '../faults/recorder/fault-case.ts';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';

const BOUNDS: Bounds = { shownWithinMs: 15_000, outboxWithinMs: 10_000 };
const BACK_WITHIN_MS = 5_000;
const seed = runSeed('FAULTS_SEED');
let stack: Stack;
let replica: ManagedServer;
beforeAll(async () => {
  const off = { RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' };
  stack = await startStack({ proxies: true, env: { ...off, LOG_LEVEL: 'warn' } });
  const { username, password } = new URL(stack.redis.url);
  replica = await startRedis({
    users: { file: readFileSync(join(stack.redis.folder, 'users.acl'), 'utf8'), user: username, password },
    args: [
      ...['--replicaof', `127.0.0.1 ${stack.redis.port}`, '--masteruser', username, '--masterauth', password],
      ...['--repl-diskless-sync-delay', '0'],
    ],
  });
  await until(
    async () => String(await redisCommand(replica.url, 'INFO', 'replication')).includes('master_link_status:up'),
    {
      timeoutMs: 30_000,
      what: 'the replica to follow',
    },
  );
}, 180_000);
afterAll(async () => {
  await stack.stop();
  await replica.stop();
});

async function metric(address: string, name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', address))).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
}

/**
 * As a sentinel does it: another is the master now, the name leads there, and whoever is still connected is not cut.
 */
async function failOver(of: Stack): Promise<void> {
  const begun = performance.now();
  await redisCommand(replica.url, 'REPLICAOF', 'NO', 'ONE');
  await redisCommand(of.redis.url, 'REPLICAOF', '127.0.0.1', String(replica.port));
  of.proxies?.dispatcherRedis.redirect(replica.url);
  of.proxies?.gatewayRedis.redirect(replica.url);
  const onNew = async (): Promise<boolean> =>
    String(await redisCommand(replica.url, 'PUBSUB', 'NUMSUB', 'chat:staff')).endsWith(`,${of.gateways.length}`);
  await until(
    async () => {
      if (!(await onNew())) return false;
      const impaired = await Promise.all(of.addresses.gateways.map((one) => metric(one, 'chat_live_path_impaired')));
      return impaired.every((value) => value === 0);
    },
    { timeoutMs: 30_000, everyMs: 50, what: 'the live path over the new master' },
  );
  const ms = Math.round(performance.now() - begun);
  console.log(`live path back after ${ms} ms`);
  expect(ms).toBeLessThan(BACK_WITHIN_MS);
}

test('[RDS8] [RDS11] a failover of Redis: the live path is back in 5 s, nothing is lost or duplicated', {
  timeout: 180_000,
}, async () => {
  console.log(`FAULTS_SEED=${seed}`);
  const one = { name: 'Redis failover', bounds: BOUNDS, fault: failOver };
  const { violations, outages, warnings } = await runCase(stack, new SeededRandom(seed), one);
  expect(violations, [...outages, ...warnings].join('\n')).toEqual([]);
});
