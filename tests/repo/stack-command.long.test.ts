import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AppProcess,
  Customer,
  freePort,
  HttpClient,
  isAlive,
  redisCommand,
  startProcess,
  until,
  WebSocketClient,
} from '@chat-realtime/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { askedMetrics } from './asked-metrics.ts';
import { root, type StackReport, startStackCommand } from './stack-command.ts';

/** [OPS38] The probe beside the stack: it sees its messages everywhere. Answers the names of its metrics. */
async function probed({ url, password }: StackReport): Promise<string[]> {
  const at = `http://127.0.0.1:${await freePort()}`;
  const probe = await startProcess({
    name: 'probe',
    args: [`${root}/apps/standalone/dist/admin/main.js`, 'probe'],
    env: { PROBE_URL: url, PROBE_LOGIN: 'anna', PROBE_PASSWORD: password, PORT: new URL(at).port },
    ready: `${at}/healthz`,
    readyTimeoutMs: 60_000,
  });
  try {
    const text = await until(
      async () => {
        const answer = await (await fetch(`${at}/metrics`)).text();
        return /^chat_probe_rounds_total\{result="ok"\} [1-9]/m.test(answer) ? answer : undefined;
      },
      { timeoutMs: 60_000, what: 'a round in which nothing was lost' },
    );
    const seen = [...text.matchAll(/^chat_probe_success\{.*\} 1$/gm)];
    expect(seen.length, text).toBe(6);
    return [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name);
  } finally {
    await probe.stop();
  }
}

/** [OPS3] A counter that appears with its first count raises no alert for it: those that alerts watch are there before. */
function countersOfAlerts(exposed: string): string[] {
  const rules = readFileSync(join(root, 'deploy/monitoring/rules/chat.yml'), 'utf8');
  const counters = [...rules.matchAll(/(?:rate|increase)\((chat_[a-z_]+_total)/g)].map(([, name = '']) => name);
  expect(counters.length).toBeGreaterThan(4);
  return counters.filter((name) => !new RegExp(`^${name}(?:\\{| )`, 'm').test(exposed));
}

/**
 * [RDS9] after a message that went the live way, was typed for and acknowledged: who is connected, and what was
 * refused.
 */
async function lookAtRedis({ url, redis }: StackReport): Promise<void> {
  const customer = await Customer.create(new HttpClient(url));
  const client = await WebSocketClient.ready(url, {
    query: { session: customer.sessionId, token: customer.token, last_seq: 0 },
  });
  client.send({ type: 'typing', active: true });
  const { id } = await customer.post('over Redis');
  await client.waitFor((frame) => frame.seq === 2);
  client.send({ type: 'ack', last_id: id });
  const mark = `chat:last_seen:${customer.sessionId}`;
  await until(async () => (await redisCommand(redis.admin, 'HGET', mark, 'client')) === String(id));
  await client.close();

  const clients = String(await redisCommand(redis.admin, 'CLIENT', 'LIST'));
  const users = [...clients.matchAll(/ name=(\S+) .* user=(\S+)/g)].map(([, name, user]) => `${name} as ${user}`);
  expect(new Set(users)).toEqual(
    new Set([
      ...['chat-fanout-publish as chat-dispatcher', 'chat-fanout-subscribe as chat-dispatcher'],
      ...['chat-fanout-publish as chat-gateway', 'chat-fanout-subscribe as chat-gateway'],
      ...['chat-last-seen as chat-dispatcher', 'chat-last-seen as chat-gateway', 'chat-leases as chat-gateway'],
    ]),
  );
  expect(clients).not.toContain('user=default');
  expect(await redisCommand(redis.admin, 'ACL', 'LOG')).toEqual([]);
}

describe('npm run stack', () => {
  let command: AppProcess | null = null;
  afterEach(() => command?.kill());

  it('[OPS38] starts everything, prints the addresses, and ends all of it on SIGTERM', {
    timeout: 150_000,
  }, async () => {
    const { command: running, report } = await startStackCommand();
    command = running;
    expect(report.parts.map((part) => part.name)).toEqual([
      ...['auth-service', 'chat-service', 'channel-dispatcher', 'channel-gateway-1', 'channel-gateway-2'],
      ...['nginx', 'postgres', 'rabbitmq', 'redis'],
    ]);
    expect(report.parts.every((part) => part.running && isAlive(part.pid))).toBe(true);

    for (const path of ['/', '/operator/', '/chat/config', '/.well-known/jwks.json']) {
      expect((await fetch(report.url + path)).status, path).toBe(200);
    }
    const body = JSON.stringify({ login: 'anna', password: report.password });
    const headers = { 'Content-Type': 'application/json' };
    expect(report.password).toBe('a password of my own');
    expect((await fetch(`${report.url}/auth/login`, { method: 'POST', headers, body })).status).toBe(200);
    const { auth, chat, dispatcher, gateways } = report.addresses;
    const metrics = new Set<string>();
    let exposed = '';
    for (const address of [auth, chat, dispatcher, ...gateways]) {
      for (const path of ['/healthz', '/readyz', '/metrics']) {
        const answer = await fetch(address + path);
        expect(answer.status, address + path).toBe(200);
        const text = await answer.text();
        if (path === '/metrics') exposed += text;
        for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) /gm)) metrics.add(name);
      }
    }
    expect(countersOfAlerts(exposed)).toEqual([]);
    for (const name of await probed(report)) metrics.add(name);
    // What alerts and dashboards ask for is there to be scraped. What a site's tables and broker bring has its figures
    // where there are some; `repo/monitoring` holds their names against the code.
    const ofSources = /^chat_(?:table|intake)_source_/;
    expect([...askedMetrics(root)].filter((name) => !metrics.has(name) && !ofSources.test(name))).toEqual([]);
    for (const path of ['/metrics', '/internal/catchup', '/internal/acks', '/readyz']) {
      expect((await fetch(report.url + path, { method: 'GET' })).status, path).toBe(404);
    }

    await lookAtRedis(report);

    expect(await running.stop()).toEqual({ code: 0, signal: null });
    await until(() => !report.parts.some((part) => isAlive(part.pid)), { what: 'end of all parts' });
  });
});
