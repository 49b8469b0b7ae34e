// `npm run admin -- <command> [--json]`: what may be done to the database from the command line; without a command the
// list of them. With --json use `npm run --silent admin`, so that npm's own lines do not stand before the answer.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectNode } from './lib/packages.mjs';
import { root } from './lib/root.mjs';

const args = [join(root, 'apps/standalone/dist/admin/main.js'), ...process.argv.slice(2)];
const child = spawn(projectNode(), args, { stdio: 'inherit' });
child.once('close', (code) => {
  process.exitCode = code ?? 1;
});
