// Every service is restarted one after the other under traffic, gateways drained by `admin drain` first: nothing is lost, doubled or reordered. About two minutes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FakeBotApi, type Stack, startStack } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bounds } from '../faults/checker/history.ts';
import { runCase } from '../faults/recorder/fault-case.ts';
import { runSeed, SeededRandom } from '../support/seeded-random.ts';

const ADMIN = fileURLToPath(new URL('../../apps/standalone/dist/admin/main.js', import.meta.url));
/** G4 with something of ours down. */
const BOUNDS: Bounds = { shownWithinMs: 15_000, outboxWithinMs: 10_000 };
const DRAIN_SECONDS = 5;
const seed = runSeed('FAULTS_SEED');
let api: FakeBotApi;
let stack: Stack;
beforeAll(async () => {
  const off = { RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' };
  api = await FakeBotApi.start();
  const bot = { TELEGRAM_BOT_TOKEN: api.token, TELEGRAM_API_ROOT: api.url };
  const env = { ...off, ...bot, LOG_LEVEL: 'warn', DRAIN_SECONDS: String(DRAIN_SECONDS) };
  stack = await startStack({ standby: true, env });
}, 120_000);
afterAll(async () => {
  await stack.stop();
  await api.stop();
});

async function drain(address: string): Promise<{ left: number; sent_away: number }> {
  const child = spawn(process.execPath, [ADMIN, 'drain', address, '--json'], {
    env: { PATH: process.env['PATH'], INTERNAL_API_KEY: stack.env['INTERNAL_API_KEY'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const [code] = await once(child, 'close');
  expect(code).toBe(0);
  const answer: { left: number; sent_away: number } = JSON.parse(out);
  return answer;
}

/** The order of the runbook, with nginx as the edge. */
async function update(of: Stack): Promise<void> {
  await of.chat.restart();
  await of.standby?.restart();
  if (of.telegram === null) throw new Error('the stack has no Telegram bot');
  await of.telegram.restart();
  await of.auth.restart();
  await of.dispatcher.restart();
  for (const [index, gateway] of of.gateways.entries()) {
    const { left, sent_away: sentAway } = await drain(of.addresses.gateways[index] ?? '');
    console.log(`${gateway.name}: ${sentAway} sent away before it was stopped`);
    expect(left).toBe(0);
    await gateway.restart();
  }
  await of.nginx.stop();
  await of.nginx.start();
}

test('[DRN1] [DRN2] [DRN3] an update of every service under traffic loses and duplicates nothing', {
  timeout: 300_000,
}, async () => {
  console.log(`FAULTS_SEED=${seed}`);
  const one = { name: 'rolling update', bounds: BOUNDS, fault: update };
  const { violations, outages, warnings } = await runCase(stack, new SeededRandom(seed), one);
  expect(violations, [...outages, ...warnings].join('\n')).toEqual([]);
});
