// Every panel of every dashboard, asked of a real Prometheus as Grafana asks, and drawn into docs/pictures: a morning with a Redis that is stopped and a gateway that is killed. About ten minutes.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, sleep, type Stack, startProcess, startStack, tempFolder } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { picture } from '../browser/album/album.ts';
import { showDashboard } from '../browser/album/dashboard-page.ts';
import { useBrowser } from '../browser/browser.ts';
import { BusyDesk, startReceiver } from '../support/monitoring/busy-desk.ts';
import { type Dashboard, dashboards, draw, type DrawnDashboard, type Span } from '../support/monitoring/grafana.ts';
import { MONITORING, Prometheus, targetsOf } from '../support/monitoring/prometheus.ts';

const ADMIN = join(MONITORING, '../../apps/standalone/dist/admin/main.js');
/** Where a recording of before lies: the same morning is drawn again, after a change of the dashboards. */
const RECORDED = process.env['DASHBOARDS_RECORDED'];

/** What shows nothing while nothing is wrong. A panel that is empty and not named here is one that nobody can read. */
const EMPTY_IN_GOOD_HEALTH: Readonly<Record<string, string>> = {};

const minutes = (count: number): Promise<unknown> => sleep(count * 60_000);

/** Resolves with the span of time that was recorded into the folder. */
async function record(data: string): Promise<Span> {
  const receiver = await startReceiver();
  const stack: Stack = await startStack({
    gateways: 2,
    env: {
      ALERT_WEBHOOK_URLS: receiver.url,
      ALERT_WEBHOOK_SECRET: 'a secret of the receiver',
      ALERT_WAITING_SECONDS: '60',
      // All visitors of a test have one address.
      RATE_SESSIONS_PER_MINUTE: '0',
      RATE_MESSAGES_PER_MINUTE: '0',
    },
  });
  const port = await freePort();
  const probe = await startProcess({
    name: 'probe',
    args: [ADMIN, 'probe'],
    // Nobody else writes by this account: operators have a rate.
    env: { PROBE_URL: stack.url, PROBE_LOGIN: 'admin', PROBE_PASSWORD: stack.password, PORT: String(port) },
    ready: `http://127.0.0.1:${port}/healthz`,
    readyTimeoutMs: 60_000,
  });
  const targets = targetsOf(stack, `http://127.0.0.1:${port}`);
  const prometheus = await Prometheus.start(targets, { data });
  const desk = new BusyDesk(stack);
  const start = Date.now() / 1_000;
  await prometheus.seen(targets.length);
  await desk.begin();
  await minutes(2);
  await desk.hurry();
  await minutes(0.5);
  receiver.refuse(true);
  await stack.redis.stop();
  await minutes(1);
  await stack.redis.start();
  receiver.refuse(false);
  await minutes(2);
  const [gateway] = stack.gateways;
  await gateway?.kill();
  await minutes(1);
  await gateway?.start();
  await minutes(2);
  const end = Date.now() / 1_000;
  stack.assertAlive();
  await desk.end();
  console.log([...desk.met].join('\n'));
  await probe.stop();
  await prometheus.stop();
  await stack.stop();
  receiver.close();
  return { start, end };
}

describe('the dashboards', async () => {
  const { open } = useBrowser();
  const drawn: DrawnDashboard[] = [];
  let prometheus: Prometheus;
  beforeAll(async () => {
    const folder = RECORDED ?? tempFolder('dashboards');
    mkdirSync(folder, { recursive: true });
    const [data, spanFile] = [join(folder, 'data'), join(folder, 'span.json')];
    if (!existsSync(spanFile)) writeFileSync(spanFile, JSON.stringify(await record(data)));
    const span: Span = JSON.parse(readFileSync(spanFile, 'utf8'));
    // Scrapes nothing more: what was recorded stays as it is.
    prometheus = await Prometheus.start([], { data });
    for (const dashboard of dashboards()) drawn.push(await draw(prometheus, dashboard, span));
  }, 1_500_000);
  afterAll(() => prometheus.stop());

  it('get an answer from Prometheus for each of their panels', () => {
    const panels = drawn.flatMap(({ title, panels: all }) =>
      all.filter(({ panel }) => panel.type !== 'row').map((one) => ({ name: `${title}: ${one.panel.title}`, ...one })),
    );
    expect(panels.length).toBeGreaterThan(40);
    const empty = panels.filter(({ lines }) => lines.length === 0).map(({ name }) => name);
    expect(empty.filter((name) => !(name in EMPTY_IN_GOOD_HEALTH))).toEqual([]);
    expect(panels.filter(({ unnamed }) => unnamed > 0).map(({ name }) => name)).toEqual([]);
    // More than an eye can tell apart.
    expect(panels.filter(({ lines }) => lines.length > 9).map(({ name, lines }) => `${name}: ${lines.length}`)).toEqual(
      [],
    );
  });

  it('show when an alert fired', () => {
    for (const { alerts } of drawn)
      expect(alerts.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['ChatRedisUnavailable', 'ChatGatewayUnavailable']),
      );
  });

  it.each(dashboards().map(({ name }: Dashboard) => name))('%s is drawn for the documents', async (name) => {
    const dashboard = drawn.find((one) => one.name === name);
    if (dashboard === undefined) throw new Error(`${name} was not asked`);
    const { page } = await open({ viewport: { width: 1440, height: 300 } });
    await showDashboard(page, dashboard);
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width: 1440, height });
    await picture(page, `dashboard-${name}`);
  });
});
