// The checks other programs make. Each answers the problems as lines, none when all is well.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectNode } from '../lib/packages.mjs';
import { root } from '../lib/root.mjs';
import { run } from '../lib/run.mjs';

async function problemsOf(label, command, args) {
  try {
    await run(command, args, { label });
    return [];
  } catch (error) {
    return (error.output ?? error.message).trim().split('\n').slice(-80);
  }
}

const bin = (name) => join(root, 'node_modules/.bin', name);

export const checkTypes = () =>
  problemsOf('tsc -b', projectNode(), [join(root, 'node_modules/typescript/bin/tsc'), '-b', '--pretty', 'false']);

const TEST_CONFIGS = [
  'tests/tsconfig.json',
  'tests/browser/tsconfig.json',
  'tsconfig.tests.json',
  'clients/sdk/tsconfig.tests.json',
  'clients/widget/tsconfig.tests.json',
  'clients/try/tsconfig.tests.json',
  'examples/tsconfig.json',
  'bench/tsconfig.json',
];

export async function checkTestTypes() {
  const problems = [];
  for (const config of TEST_CONFIGS) {
    if (!existsSync(join(root, config))) continue;
    const args = [join(root, 'node_modules/typescript/bin/tsc'), '-p', config, '--noEmit', '--pretty', 'false'];
    problems.push(...(await problemsOf(`tsc ${config}`, projectNode(), args)));
  }
  return problems;
}

export const checkFormat = () =>
  problemsOf('biome', bin('biome'), ['format', '--reporter=summary', '--colors=off', '.']);

export const checkLint = () => problemsOf('oxlint', bin('oxlint'), ['--type-aware', '--format=unix']);

export const checkGenerated = () => problemsOf('generate', projectNode(), ['scripts/generate.mjs', '--check']);

export const checkSpec = () => problemsOf('spec coverage', projectNode(), ['scripts/spec-coverage.mjs']);
