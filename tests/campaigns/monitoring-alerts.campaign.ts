// A real Prometheus and Alertmanager watch the stack: an alert fires within two minutes when Redis or a gateway is stopped, and ends afterwards.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { Child, findBinary, freePort, type Stack, startStack, tempFolder, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { MONITORING, Prometheus, targetsOf } from '../support/monitoring/prometheus.ts';

const TWO_MINUTES_MS = 120_000;
/** The process itself needs its time to start. */
const ENDED_WITHIN_MS = 180_000;

const callSchema = z.object({
  alerts: z.array(
    z.object({ status: z.enum(['firing', 'resolved']), labels: z.looseObject({ alertname: z.string() }) }),
  ),
});
interface Call {
  readonly alert: string;
  readonly status: 'firing' | 'resolved';
}

let stack: Stack;
let pager: Server;
const calls: Call[] = [];
let alertmanager: Child;
let prometheus: Prometheus;

beforeAll(async () => {
  stack = await startStack({ gateways: 2 });
  pager = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      for (const { status, labels } of callSchema.parse(JSON.parse(Buffer.concat(chunks).toString())).alerts)
        calls.push({ alert: labels.alertname, status });
      response.end();
    });
  });
  await new Promise<void>((resolve) => pager.listen(0, '127.0.0.1', resolve));
  const address = pager.address();
  const pagerPort = typeof address === 'object' && address !== null ? address.port : 0;

  const folder = tempFolder('alertmanager');
  const alertmanagerPort = await freePort();
  const template = readFileSync(join(MONITORING, 'alertmanager.yml.template'), 'utf8');
  const pagerUrl = `http://127.0.0.1:${pagerPort}/`;
  writeFileSync(join(folder, 'alertmanager.yml'), template.replace('${ALARM_WEBHOOK_URL}', pagerUrl));
  alertmanager = new Child({
    name: 'Alertmanager',
    command: findBinary('prometheus-alertmanager', 'prometheus-alertmanager'),
    args: [
      `--config.file=${folder}/alertmanager.yml`,
      `--storage.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
      '--cluster.listen-address=',
    ],
    env: { PATH: process.env['PATH'] ?? '' },
  });
  const targets = targetsOf(stack);
  prometheus = await Prometheus.start(targets, { alertmanagerPort });
  await prometheus.seen(targets.length);
});
afterAll(async () => {
  await Promise.all([alertmanager.kill(), prometheus.stop()]);
  pager.close();
  await stack.stop();
});

const called = (alert: string, status: Call['status']) =>
  calls.some((call) => call.alert === alert && call.status === status);

async function watch(alert: string, breakIt: () => Promise<unknown>, mend: () => Promise<unknown>): Promise<void> {
  const brokenAt = performance.now();
  await breakIt();
  await until(() => called(alert, 'firing'), { timeoutMs: TWO_MINUTES_MS, what: `the alert ${alert}` });
  console.log(`${alert}: called after ${((performance.now() - brokenAt) / 1_000).toFixed(0)} s`);
  const mendedAt = performance.now();
  await mend();
  await until(() => called(alert, 'resolved'), { timeoutMs: ENDED_WITHIN_MS, what: `the end of ${alert}` });
  console.log(`${alert}: ended ${((performance.now() - mendedAt) / 1_000).toFixed(0)} s after it was mended`);
}

it('pages when Redis is stopped, and reports when it is back', { timeout: 400_000 }, async () => {
  await watch(
    'ChatRedisUnavailable',
    () => stack.redis.stop(),
    () => stack.redis.start(),
  );
});

it('pages when a gateway is stopped, and reports when it is back', { timeout: 400_000 }, async () => {
  const [gateway] = stack.gateways;
  if (gateway === undefined) throw new Error('the stack has no gateway');
  await watch(
    'ChatGatewayUnavailable',
    () => gateway.kill(),
    () => gateway.start(),
  );
});

it('paged for nothing but the faults', () => {
  const expected = new Set(['ChatRedisUnavailable', 'ChatGatewayUnavailable']);
  expect([...new Set(calls.map(({ alert }) => alert))].filter((alert) => !expected.has(alert))).toEqual([]);
});
