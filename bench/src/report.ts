import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Figure {
  readonly what: string;
  readonly measured: string;
  /** What it is compared with in the same run. */
  readonly beside?: string;
  readonly goal?: string;
  /** Absent where there is nothing to reach. */
  readonly met?: boolean;
}

export interface Report {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Everything measured, for whoever wants to look closer. */
  readonly raw: unknown;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Nearest rank; NaN for nothing, so that an empty measurement cannot look like a good one. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

export function us(value: number): string {
  return `${value.toFixed(2)} µs`;
}

export function printReport({ title, figures }: Report): void {
  const rows = figures.map(({ what, measured, beside, goal, met }) => [
    what,
    measured,
    beside ?? '',
    goal ?? '',
    met === undefined ? '' : met ? 'met' : 'MISSED',
  ]);
  const head = ['', 'measured', 'beside it, same run', 'goal', ''];
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  console.log(`\n${title}`);
  for (const row of [head, ...rows]) {
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    // An unpacked archive has no history.
    return 'unknown';
  }
}

export function writeReport(report: Report): string {
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const file = `${folder}${at.slice(0, 19).replaceAll(':', '')}-${report.name}.json`;
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    load: loadavg(),
  };
  writeFileSync(file, `${JSON.stringify({ at, commit: commit(), machine, ...report }, null, 1)}\n`);
  return file;
}
