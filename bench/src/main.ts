/**
 * `npm run bench [-- name …] [--quick]`: figures as ratios within one run. See docs/benchmarks.md.
 *
 * - `benchmarks/`: one file per figure, e.g. fan-out, pipeline (POST → frame), memory, storm of reconnects
 * - `generator/`: the process that opens thousands of raw connections and counts frames
 * - `servers/`: the gateway under test, and a plain server to compare with
 * - `stack/`: the whole path, for the pipeline
 * - `process/`: child processes on fixed cores
 *
 * Start with `benchmarks/fan-out.ts`.
 */
import { fanOut } from './benchmarks/fan-out.ts';
import { flatness } from './benchmarks/flatness.ts';
import { idle } from './benchmarks/idle.ts';
import { memory } from './benchmarks/memory.ts';
import { pipeline } from './benchmarks/pipeline.ts';
import { slowReader } from './benchmarks/slow-reader.ts';
import { start } from './benchmarks/start.ts';
import { storm } from './benchmarks/storm.ts';
import { PINNED } from './process/child.ts';
import { printReport, type Report, writeReport } from './report.ts';

const BENCHMARKS: Readonly<Record<string, (quick: boolean) => Promise<Report>>> = {
  'fan-out': (quick) => fanOut({ pairs: quick ? 3 : 7, sockets: 1_000, staff: !quick }),
  flatness: () => flatness(),
  memory: (quick) => memory(quick ? 4_000 : 8_000),
  'slow-reader': () => slowReader(),
  pipeline: () => pipeline(),
  idle: () => idle(),
  start: (quick) => start(quick ? 3 : 5),
  storm: (quick) => storm(quick ? 1_000 : 5_000),
};
const QUICK = ['fan-out', 'memory'];

const quick = process.argv.includes('--quick');
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const unknown = named.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are: ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exit(2);
}
const wanted = named.length > 0 ? named : quick ? QUICK : Object.keys(BENCHMARKS);
if (!PINNED) console.log('Servers and generator share their cores here: ratios are less exact.');
let missed = 0;
for (const name of wanted) {
  const from = Date.now();
  const report = await BENCHMARKS[name]?.(quick);
  if (report === undefined) continue;
  printReport(report);
  missed += report.figures.filter((figure) => figure.met === false).length;
  console.log(`  ${((Date.now() - from) / 1_000).toFixed(0)} s, ${writeReport(report)}`);
}
console.log(missed === 0 ? '\nAll goals met.' : `\n${missed} goals missed.`);
