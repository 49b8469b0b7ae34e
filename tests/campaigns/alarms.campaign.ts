// A real Prometheus and Alertmanager watch the stack: the alarm comes within two minutes when Redis or a gateway is stopped, and ends afterwards.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, findBinary, freePort, type Stack, startStack, tempFolder, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MONITORING = join(ROOT, 'deploy/monitoring');
const TWO_MINUTES_MS = 120_000;
/** The process itself needs its time to start. */
const ENDED_WITHIN_MS = 180_000;

const callSchema = z.object({
  alerts: z.array(
    z.object({ status: z.enum(['firing', 'resolved']), labels: z.looseObject({ alertname: z.string() }) }),
  ),
});
interface Call {
  readonly alarm: string;
  readonly status: 'firing' | 'resolved';
}

let stack: Stack;
let pager: Server;
const calls: Call[] = [];
const children: Child[] = [];

function run(name: string, command: string, args: string[]): void {
  children.push(new Child({ name, command, args, env: { PATH: process.env['PATH'] ?? '' } }));
}

/** What the services of the compose file are called there, under the addresses of this machine. */
function targets(): { targets: string[]; labels: { service: string; instance: string } }[] {
  const { auth, chat, dispatcher, gateways } = stack.addresses;
  const target = (address: string, service: string, instance = service) => ({
    targets: [new URL(address).host],
    labels: { service, instance },
  });
  return [
    target(auth, 'auth-service'),
    target(chat, 'chat-service'),
    target(dispatcher, 'channel-dispatcher'),
    ...gateways.map((address, index) => target(address, 'channel-gateway', `channel-gateway-${index + 1}`)),
  ];
}

beforeAll(async () => {
  stack = await startStack({ gateways: 2 });
  pager = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      for (const { status, labels } of callSchema.parse(JSON.parse(Buffer.concat(chunks).toString())).alerts)
        calls.push({ alarm: labels.alertname, status });
      response.end();
    });
  });
  await new Promise<void>((resolve) => pager.listen(0, '127.0.0.1', resolve));
  const address = pager.address();
  const pagerPort = typeof address === 'object' && address !== null ? address.port : 0;

  const folder = tempFolder('alarms');
  cpSync(MONITORING, folder, { recursive: true });
  const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()];
  const config = z
    .looseObject({ scrape_configs: z.array(z.looseObject({ job_name: z.string() })) })
    .parse(parse(readFileSync(join(MONITORING, 'prometheus.yml'), 'utf8')));
  const placed = {
    ...config,
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
    // The names of the compose network do not exist here; everything else is what is deployed.
    scrape_configs: [{ job_name: 'chat', static_configs: targets() }],
  };
  writeFileSync(join(folder, 'prometheus.yml'), stringify(placed));
  const template = readFileSync(join(MONITORING, 'alertmanager.yml.template'), 'utf8');
  const pagerUrl = `http://127.0.0.1:${pagerPort}/`;
  writeFileSync(join(folder, 'alertmanager.yml'), template.replace('${ALARM_WEBHOOK_URL}', pagerUrl));
  run('Alertmanager', findBinary('prometheus-alertmanager', 'prometheus-alertmanager'), [
    `--config.file=${folder}/alertmanager.yml`,
    `--storage.path=${folder}/alertmanager`,
    `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
    '--cluster.listen-address=',
  ]);
  run('Prometheus', findBinary('prometheus', 'prometheus'), [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
  ]);
  // Every service was scraped at least once and found well.
  const upSchema = z.object({
    data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
  });
  await until(
    async () => {
      const answer = await fetch(`http://127.0.0.1:${prometheusPort}/api/v1/query?query=up`);
      const { result } = upSchema.parse(await answer.json()).data;
      return result.length === 5 && result.every(({ value }) => value[1] === '1');
    },
    { timeoutMs: 60_000, what: 'Prometheus to have scraped all services' },
  );
});
afterAll(async () => {
  await Promise.all(children.map((child) => child.kill()));
  pager.close();
  await stack.stop();
});

const called = (alarm: string, status: Call['status']) =>
  calls.some((call) => call.alarm === alarm && call.status === status);

async function watch(alarm: string, breakIt: () => Promise<unknown>, mend: () => Promise<unknown>): Promise<void> {
  const brokenAt = performance.now();
  await breakIt();
  await until(() => called(alarm, 'firing'), { timeoutMs: TWO_MINUTES_MS, what: `the alarm ${alarm}` });
  console.log(`${alarm}: called after ${((performance.now() - brokenAt) / 1_000).toFixed(0)} s`);
  const mendedAt = performance.now();
  await mend();
  await until(() => called(alarm, 'resolved'), { timeoutMs: ENDED_WITHIN_MS, what: `the end of ${alarm}` });
  console.log(`${alarm}: ended ${((performance.now() - mendedAt) / 1_000).toFixed(0)} s after it was mended`);
}

it('calls when Redis is stopped, and says when it is back', { timeout: 400_000 }, async () => {
  await watch(
    'ChatRedisUnavailable',
    () => stack.redis.stop(),
    () => stack.redis.start(),
  );
});

it('calls when a gateway is stopped, and says when it is back', { timeout: 400_000 }, async () => {
  const [gateway] = stack.gateways;
  if (gateway === undefined) throw new Error('the stack has no gateway');
  await watch(
    'ChatGatewayUnavailable',
    () => gateway.kill(),
    () => gateway.start(),
  );
});

it('called for nothing else than what was broken', () => {
  const expected = new Set(['ChatRedisUnavailable', 'ChatGatewayUnavailable']);
  expect([...new Set(calls.map(({ alarm }) => alarm))].filter((alarm) => !expected.has(alarm))).toEqual([]);
});
