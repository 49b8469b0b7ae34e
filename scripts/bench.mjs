// `npm run bench [-- name …] [--quick]`: speed and memory as ratios within one run; docs/benchmarks.md has the figures.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectNode } from './lib/packages.mjs';
import { root } from './lib/root.mjs';

const args = ['--disable-warning=ExperimentalWarning', join(root, 'bench/src/main.ts'), ...process.argv.slice(2)];
const child = spawn(projectNode(), args, { cwd: root, stdio: 'inherit' });
child.once('close', (code) => {
  process.exitCode = code ?? 1;
});
