// Builds the pages into dist/site, the folder that the standalone server and nginx serve as it is. Each page is built
// only when something it is made of has changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectNode } from './packages.mjs';
import { root } from './root.mjs';
import { run, seconds } from './run.mjs';

export const siteFolder = join(root, 'dist/site');

/** `output`: a file that is there when the page is built; `inputs`: folders and files, relative to the root. */
const PAGES = [
  {
    name: 'operator-console',
    output: 'operator/index.html',
    inputs: ['clients/operator-console', 'clients/sdk/src', 'clients/sdk/package.json'],
    config: 'clients/operator-console/vite.config.ts',
  },
];

const SKIPPED = new Set(['dist', 'node_modules']);

function* filesOf(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) {
    yield [path, stat];
    return;
  }
  for (const name of readdirSync(path).toSorted()) {
    if (!SKIPPED.has(name) && !/\.test\.tsx?$/.test(name)) yield* filesOf(join(path, name));
  }
}

/** Changes with every name, size and time of a page's sources. */
function stampOf(page) {
  const hash = createHash('sha256').update(JSON.stringify(page));
  for (const input of [...page.inputs, 'package-lock.json']) {
    for (const [path, stat] of filesOf(join(root, input))) hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

export async function buildSite() {
  const stamps = join(root, '.setup/site');
  mkdirSync(stamps, { recursive: true });
  for (const page of PAGES) {
    const stampFile = join(stamps, page.name);
    const stamp = stampOf(page);
    const known = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : '';
    if (known === stamp && existsSync(join(siteFolder, page.output))) continue;
    const started = Date.now();
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    const args = [vite, 'build', '--config', join(root, page.config), '--logLevel', 'warn'];
    await run(projectNode(), args, { label: `vite build of ${page.name}` });
    writeFileSync(stampFile, stamp);
    console.log(`Built ${page.name} in ${seconds(started)}`);
  }
}

if (process.argv[1] === import.meta.filename) await buildSite();
