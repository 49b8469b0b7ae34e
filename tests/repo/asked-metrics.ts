import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every metric of ours that an alert or a dashboard asks Prometheus for. */
export function askedMetrics(root: string): Set<string> {
  const folder = join(root, 'deploy/monitoring/grafana/dashboards');
  const dashboards = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const rules = readFileSync(join(root, 'deploy/monitoring/rules/chat.yml'), 'utf8');
  const asked = [...dashboards.join('\n').matchAll(/"expr": "(.*)"/g)].map(([, expression]) => expression ?? '');
  const names = [...asked, rules].join('\n').matchAll(/\bchat_[a-z0-9_]+/g);
  return new Set([...names].map(([name]) => name.replace(/_(?:bucket|count|sum)$/, '')));
}
