// Compiles what changed, and makes the links that the package of the embedded PostgreSQL lacks.
// `tsc -b` knows by itself what is up to date and then takes a fraction of a second.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectNode } from './packages.mjs';
import { buildPages } from './pages.mjs';
import { root } from './root.mjs';
import { run, seconds } from './run.mjs';

export async function build() {
  const started = Date.now();
  const first = !existsSync(join(root, 'apps/standalone/dist/main.js'));
  if (first) console.log('Compiling TypeScript …');
  await run(projectNode(), [join(root, 'node_modules/typescript/bin/tsc'), '-b'], { label: 'tsc -b' });
  if (first) console.log(`Compiled in ${seconds(started)}`);
  await prepareDatabase();
  await buildPages();
}

const PREPARE =
  "const { preparePrograms } = await import('./libs/embedded-postgres/dist/index.js'); await preparePrograms();";

/** A look, where they are there already. */
async function prepareDatabase() {
  await run(projectNode(), ['--input-type=module', '-e', PREPARE], { label: 'embedded PostgreSQL', cwd: root });
}
