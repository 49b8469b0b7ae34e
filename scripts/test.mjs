// `npm test`: checks, then every suite. Ends with one line "N passed, N failed" over all of them; anything failed,
// skipped, missing or empty makes the exit code 1. `npm test -- unit faults` runs only the named parts, one by one with
// `--one-by-one`.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runChecks } from './check.mjs';
import { projectNode } from './lib/packages.mjs';
import { root } from './lib/root.mjs';
import { run, seconds } from './lib/run.mjs';

const TESTS = ['--config', 'tests/vitest.config.ts'];

const excluded = (...files) => files.flatMap((file) => ['--exclude', `**/browser/${file}.test.ts`]);

/** Named one by one: a suite that is missing or has no tests is a failure, not a shorter run. */
const SUITES = [
  { name: 'unit', title: 'Unit and contract suites', args: ['--config', 'vitest.config.ts'] },
  { name: 'repo', title: 'The repository itself', args: [...TESTS, 'repo/'] },
  {
    name: 'standalone',
    title: 'Black box over standalone',
    // A reader that stands still fills the kernel's buffers first, which takes half a minute: here over the stack alone.
    args: [...TESTS, 'blackbox/', '--exclude', '**/slow-consumer.test.ts'],
    env: { BLACKBOX_TARGET: 'standalone' },
  },
  {
    name: 'stack',
    // With what else needs several processes, since a stack takes half a minute to start. CONTRIBUTING.md says how to
    // run all of the browser's suites over it.
    title: 'Black box over the stack',
    // tests/vitest.config.ts says what needs no stack.
    args: [...TESTS, 'blackbox/', 'resume/', 'browser/together', '--exclude', '**/blackbox/one-service/**'],
    env: { BLACKBOX_TARGET: 'stack' },
  },
  {
    name: 'browser',
    title: 'Widget in a browser',
    args: [...TESTS, 'browser/', ...excluded('console*', 'together', 'loader-cost')],
    env: { BLACKBOX_TARGET: 'standalone' },
  },
  {
    name: 'browser-cost',
    title: 'What the loader costs a page',
    args: [...TESTS, 'browser/loader-cost'],
    env: { BLACKBOX_TARGET: 'standalone' },
  },
  {
    name: 'browser-console',
    title: 'Console in a browser',
    args: [...TESTS, 'browser/console'],
    env: { BLACKBOX_TARGET: 'standalone' },
  },
  {
    name: 'browser-firefox',
    title: 'The widget in Firefox',
    args: [...TESTS, 'browser/guest'],
    env: { BLACKBOX_TARGET: 'standalone', BROWSER: 'firefox' },
  },
  {
    name: 'browser-oldest',
    title: 'The widget in Chromium 109',
    args: [...TESTS, 'browser/guest'],
    env: { BLACKBOX_TARGET: 'standalone', BROWSER: 'chromium-109' },
  },
  { name: 'faults', title: 'Faults, quick set', args: [...TESTS, 'faults/'] },
  { name: 'bench', title: 'Speed and memory, quick guard', args: ['--config', 'bench/vitest.config.ts'] },
];

/**
 * What runs at the same time, as lists of suites that follow each other. Black-box suites wait for the chat more than
 * they compute, so two of them fit two cores. Faults and the benchmark measure times and have the machine to
 * themselves.
 */
const STAGES = [
  [['checks']],
  [['unit']],
  [
    ['standalone', 'browser', 'repo'],
    ['stack', 'browser-console', 'browser-firefox', 'browser-oldest'],
  ],
  [['faults']],
  [['browser-cost', 'bench']],
];

const reports = join(root, '.setup/reports');

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/** `alone`: what it prints is shown as it comes; otherwise when it has ended. */
async function runSuite(suite, alone) {
  const file = join(reports, `${suite.name}.json`);
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...suite.args];
  args.push('--allowOnly=false', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`);
  const env = { ...process.env, NODE_ENV: 'test', ...suite.env };
  const ended = await run(projectNode(), args, { label: suite.title, quiet: !alone, env }).then(
    (output) => ({ exit: 0, output }),
    (error) => ({ exit: error.code ?? 1, output: error.output ?? error.message }),
  );
  if (!alone) console.log(`\n${heading(suite.title)}\n${ended.output}`);
  const { exit } = ended;
  const report = readReport(file);
  if (report === null) return { passed: 0, failed: 1, why: 'the test runner left no report' };
  const skipped = report.numPendingTests + report.numTodoTests;
  // A file that cannot even be loaded has no tests to count.
  const brokenFiles = report.testResults.filter(
    (result) => result.status === 'failed' && !result.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  let failed = report.numFailedTests + brokenFiles + skipped;
  const notes = [];
  if (skipped > 0) notes.push(`${skipped} skipped, which counts as failed`);
  if (brokenFiles > 0) notes.push(`${brokenFiles} files failed outside their tests`);
  if (report.numTotalTests === 0) notes.push('no tests');
  if (failed === 0 && (exit !== 0 || report.numTotalTests === 0)) {
    failed = 1;
    notes.push(`exit code ${exit}`);
  }
  return { passed: report.numPassedTests, failed, why: notes.join(', '), failures: failuresOf(report) };
}

/**
 * What failed, told again at the end: the place where it happened may be thousands of lines up, or cut off by whoever
 * keeps the log.
 */
function failuresOf(report) {
  return report.testResults.flatMap((file) => {
    const name = relative(root, file.name);
    const tests = file.assertionResults.filter((test) => test.status === 'failed');
    if (file.status === 'failed' && tests.length === 0) return [`${name}\n${indented(file.message ?? '')}`];
    return tests.map((test) => `${name} > ${test.fullName}\n${indented(test.failureMessages.join('\n'))}`);
  });
}

function heading(title) {
  return `── ${title} ${'─'.repeat(Math.max(3, 64 - title.length))}`;
}

function indented(text) {
  const lines = text.split('\n').slice(0, 12);
  return lines.map((line) => `      ${line.slice(0, 300)}`).join('\n');
}

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const known = ['checks', ...SUITES.map((suite) => suite.name)];
const staged = STAGES.flat(2);
if (known.some((name) => !staged.includes(name))) throw new Error('a suite has no place in STAGES and would not run');
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`unknown part: ${unknown.join(', ')}; there are: ${known.join(', ')}`);
  process.exit(2);
}
const isWanted = (name) => wanted.length === 0 || wanted.includes(name);

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });
const started = Date.now();
const lines = [];
const failures = [];
let passed = 0;
let failed = 0;
const partNamed = new Map(
  [{ name: 'checks', title: 'Checks', work: runChecks }, ...SUITES].map((part) => [part.name, part]),
);

async function runPart(part, alone) {
  const from = Date.now();
  const result = await (part.work?.() ?? runSuite(part, alone));
  passed += result.passed;
  failed += result.failed;
  failures.push(...(result.failures ?? []));
  const why = result.why ? ` (${result.why})` : '';
  lines.push(`  ${part.title.padEnd(30)} ${result.passed} passed, ${result.failed} failed${why}, ${seconds(from)}`);
}

async function runLane(parts, alone) {
  for (const part of parts) await runPart(part, alone);
}

const stages = STAGES.map((lanes) => lanes.map((names) => names.filter(isWanted)).filter((names) => names.length > 0))
  .flatMap((lanes) => (process.argv.includes('--one-by-one') ? lanes.flat().map((name) => [[name]]) : [lanes]))
  .filter((lanes) => lanes.length > 0);
for (const [index, lanes] of stages.entries()) {
  const parts = lanes.map((names) => names.map((name) => partNamed.get(name)));
  const title = parts.map((lane) => lane.map((part) => part.title).join(', then ')).join(' · ');
  console.log(`\n${heading(`${index + 1}/${stages.length} ${title}`)}`);
  await Promise.all(parts.map((lane) => runLane(lane, parts.length === 1)));
}
if (failures.length > 0) console.log(`\n${heading('What failed')}\n\n  ${failures.join('\n\n  ')}`);
console.log(`\n${lines.join('\n')}\n  In all ${seconds(started)}\n`);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
