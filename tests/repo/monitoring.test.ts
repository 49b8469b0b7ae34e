import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBinary, tempFolder } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { askedMetrics } from './asked-metrics.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MONITORING = join(ROOT, 'deploy/monitoring');
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          labels: z.object({ severity: z.enum(['page', 'ticket']) }),
          annotations: z.object({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});
const alerts = rulesSchema.parse(parse(text('deploy/monitoring/rules/chat.yml'))).groups.flatMap(({ rules }) => rules);

function run(program: string, debianPackage: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(findBinary(program, debianPackage), args, { encoding: 'utf8' });
  return `${status} ${stdout}${stderr}`;
}
const promtool = (...args: string[]): string => run('promtool', 'prometheus', ...args);

describe('the alerts', () => {
  it('each has samples that raise it, and a near miss', () => {
    const schema = z.object({
      tests: z.array(
        z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) }),
      ),
    });
    const looks = schema
      .parse(parse(text('deploy/monitoring/rules/chat.test.yml')))
      .tests.flatMap(({ alert_rule_test: tests }) => tests);
    const named = (isRaised: boolean): Set<string> =>
      new Set(looks.filter(({ exp_alerts: { length } }) => length > 0 === isRaised).map(({ alertname }) => alertname));
    const all = new Set(alerts.map(({ alert }) => alert));
    expect(named(true)).toEqual(all);
    expect(named(false)).toEqual(all);
  });

  it.each(['docs/infra/runbook.md', 'docs/infra/runbook.ru.md'])(
    'each has its section in %s: meaning, impact, check, diagnose, fix, verify',
    (path) => {
      const runbook = text(path);
      const headings = path.endsWith('.ru.md')
        ? ['Что это значит', 'Кто это замечает', 'Первый взгляд', 'Решить', 'Исправить', 'Проверить']
        : ['Meaning', 'Impact', 'Check', 'Diagnose', 'Fix', 'Verify'];
      for (const { alert, annotations } of alerts) {
        const page = new RegExp(`^### ${alert}\\n([\\s\\S]*?)(?=^##)`, 'm').exec(`${runbook}\n## end`)?.[1];
        expect(page, `${path} has no page for ${alert}`).toBeDefined();
        for (const heading of headings) expect(page, alert).toContain(`**${heading}.**`);
        expect(annotations.runbook).toBe(`docs/infra/runbook.md#${alert.toLowerCase()}`);
      }
    },
  );
});

it('alerts and dashboards ask only for metrics that a service has', async () => {
  // That each is really on /metrics of a stack is looked at by stack-command.long.test.ts.
  const { metricDefinitions } = (await import(join(ROOT, 'scripts/lib/metrics-table.mjs'))) as {
    metricDefinitions: () => { name: string }[];
  };
  const ours = metricDefinitions().map(({ name }) => name);
  const { createMetrics } = (await import(join(ROOT, 'libs/service-kit/dist/index.js'))) as {
    createMetrics: (service: string) => { collect(): Promise<string> };
  };
  // What every process tells of itself.
  const bare = await createMetrics('test').collect();
  const there = new Set([...ours, ...[...bare.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name)]);
  const asked = [...askedMetrics(ROOT)];
  expect(asked.length).toBeGreaterThan(60);
  expect(asked.filter((name) => !there.has(name))).toEqual([]);
});

describe('the configuration of the servers that watch', () => {
  it('is accepted by Prometheus', () => {
    const folder = tempFolder('monitoring');
    cpSync(MONITORING, folder, { recursive: true });
    writeFileSync(join(folder, 'token'), 'x');
    const placed = text('deploy/monitoring/prometheus.yml').replace(
      '/etc/prometheus/metrics-token',
      join(folder, 'token'),
    );
    writeFileSync(join(folder, 'prometheus.yml'), placed);
    expect(promtool('check', 'config', join(folder, 'prometheus.yml'))).toMatch(/^0 [\s\S]*SUCCESS/);
  });

  it('is accepted by Alertmanager and names only alerts that exist', () => {
    const file = join(tempFolder('alertmanager'), 'alertmanager.yml');
    const template = text('deploy/monitoring/alertmanager.yml.template');
    writeFileSync(file, template.replace('${ALARM_WEBHOOK_URL}', 'http://127.0.0.1:9/'));
    expect(run('amtool', 'prometheus-alertmanager', 'check-config', file)).toMatch(/^0 [\s\S]*SUCCESS/);
    const known = new Set(alerts.map(({ alert }) => alert));
    const named = [...template.matchAll(/\bChat[A-Za-z]+/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('the dashboards', async () => {
  const { NAMES, textOf } = (await import(join(MONITORING, 'grafana/make-dashboards.mjs'))) as {
    NAMES: string[];
    textOf: (name: string) => string;
  };

  it('are what make-dashboards.mjs makes', () => {
    expect(NAMES).toEqual(['flow', 'gateway', 'correctness', 'desk', 'service']);
    const folder = join(MONITORING, 'grafana/dashboards');
    expect(readdirSync(folder).sort()).toEqual(NAMES.map((name) => `${name}.json`).sort());
    for (const name of NAMES) expect(readFileSync(join(folder, `${name}.json`), 'utf8'), name).toBe(textOf(name));
  });

  it('draw the line of an alert where it fires', () => {
    const said = /Above the line (Chat\w+) fires/;
    const schema = z.object({
      panels: z.array(
        z.object({
          title: z.string(),
          description: z.string().default(''),
          fieldConfig: z
            .object({
              defaults: z.object({
                thresholds: z.object({ steps: z.array(z.looseObject({ value: z.number().nullable() })) }).optional(),
              }),
            })
            .optional(),
        }),
      ),
    });
    const lines = NAMES.flatMap((name) => schema.parse(JSON.parse(textOf(name))).panels).flatMap(
      ({ title, description, fieldConfig }) => {
        const threshold = said.exec(description)?.[1];
        return threshold === undefined
          ? []
          : [{ title, threshold, limit: fieldConfig?.defaults.thresholds?.steps[1]?.value }];
      },
    );
    expect(lines.length).toBeGreaterThan(5);
    for (const { title, threshold, limit } of lines)
      expect(alerts.find(({ alert }) => alert === threshold)?.expr, title).toMatch(new RegExp(`> ${limit}\\b`));
  });

  it('show the three required figures on the first of them', () => {
    for (const name of ['chat_active_connections', 'chat_dispatch_errors_total', 'chat_ws_ping_latency_seconds'])
      expect(textOf('flow')).toContain(name);
  });
});
