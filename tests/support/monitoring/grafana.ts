import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { MONITORING, type Prometheus, type Series } from './prometheus.ts';

const FOLDER = join(MONITORING, 'grafana/dashboards');
/** Grafana's own for a data source that names none, and what prometheus.yml says. */
const SCRAPE_SECONDS = 15;

const panelSchema = z.object({
  type: z.enum(['row', 'timeseries', 'state-timeline']),
  title: z.string(),
  description: z.string().optional(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  fieldConfig: z
    .object({
      defaults: z.object({
        unit: z.string(),
        min: z.number().optional(),
        max: z.number().optional(),
        decimals: z.number().optional(),
        thresholds: z
          .object({ steps: z.array(z.object({ color: z.string(), value: z.number().nullable() })) })
          .optional(),
      }),
    })
    .optional(),
  targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).optional(),
});
const dashboardSchema = z.object({
  title: z.string(),
  annotations: z.object({ list: z.array(z.object({ expr: z.string(), titleFormat: z.string() })) }),
  panels: z.array(panelSchema),
});
export type Panel = z.infer<typeof panelSchema>;
export type Dashboard = z.infer<typeof dashboardSchema> & { readonly name: string };

export function dashboards(): Dashboard[] {
  return readdirSync(FOLDER).map((file) => ({
    name: file.replace(/\.json$/, ''),
    ...dashboardSchema.parse(JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))),
  }));
}

export interface Span {
  readonly start: number;
  readonly end: number;
}
/** Grafana asks for no more points than a panel has pixels, and never more often than Prometheus scrapes. */
const stepOf = ({ start, end }: Span): number => Math.max(SCRAPE_SECONDS, Math.ceil((end - start) / 400));

/** As Grafana puts its variables in: https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/ */
export function substituted(expression: string, span: Span): string {
  const step = stepOf(span);
  const values: Record<string, string> = {
    __rate_interval: `${Math.max(step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)}s`,
    __interval: `${step}s`,
    __range: `${Math.round(span.end - span.start)}s`,
  };
  return expression.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    const value = values[braced ?? bare ?? ''];
    if (value === undefined) throw new Error(`${whole} in ${expression}: the dashboards have no such variable`);
    return value;
  });
}

export const legend = (format: string, labels: Readonly<Record<string, string>>): string =>
  format.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => labels[name] ?? '').trim();

export interface Line {
  readonly name: string;
  /** One for each step; null where there is nothing. */
  readonly values: readonly (number | null)[];
}

export interface Drawn {
  readonly panel: Panel;
  readonly lines: readonly Line[];
  /** Of the lines whose legend is empty, or still holds a label in braces. */
  readonly unnamed: number;
}

export interface DrawnDashboard {
  readonly name: string;
  readonly title: string;
  readonly times: readonly number[];
  readonly panels: readonly Drawn[];
  readonly alerts: readonly { readonly name: string; readonly from: number; readonly to: number }[];
}

function lineOf(name: string, { values }: Series, times: readonly number[]): Line {
  const at = new Map(values.map(([time, value]) => [time, Number(value)]));
  return { name, values: times.map((time) => at.get(time) ?? null).map((one) => (Number.isFinite(one) ? one : null)) };
}

/** Asks everything that Grafana would ask for a dashboard, both ways; an expression that Prometheus refuses rejects. */
export async function draw(prometheus: Prometheus, dashboard: Dashboard, around: Span): Promise<DrawnDashboard> {
  const step = stepOf(around);
  const span = { start: Math.ceil(around.start / step) * step, end: Math.floor(around.end / step) * step };
  const times = Array.from({ length: (span.end - span.start) / step + 1 }, (_, index) => span.start + index * step);
  const panels: Drawn[] = [];
  for (const panel of dashboard.panels) {
    const lines: Line[] = [];
    for (const { expr, legendFormat } of panel.targets ?? []) {
      const query = substituted(expr, span);
      await prometheus.now(query, span.end);
      for (const series of await prometheus.range(query, span.start, span.end, step))
        lines.push(lineOf(legend(legendFormat, series.metric), series, times));
    }
    const shown = lines.filter(({ values }) => values.some((value) => value !== null));
    panels.push({ panel, lines: shown, unnamed: shown.filter(({ name }) => name === '' || /[{}]/.test(name)).length });
  }
  const alerts = [];
  for (const { expr, titleFormat } of dashboard.annotations.list)
    for (const { metric, values } of await prometheus.range(substituted(expr, span), span.start, span.end, step)) {
      const [first, last] = [values[0], values.at(-1)];
      if (first !== undefined && last !== undefined)
        alerts.push({ name: legend(titleFormat, metric), from: first[0], to: last[0] + step });
    }
  return { name: dashboard.name, title: dashboard.title, times, panels, alerts };
}
