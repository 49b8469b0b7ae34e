// Bundles the pages and the widget into dist/site, which the standalone server and nginx serve as it is. Each part is
// built again only when something it is made of has changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { projectNode } from './packages.mjs';
import { root } from './root.mjs';
import { run } from './run.mjs';

const VITE = 'node_modules/vite/bin/vite.js';
const SITE = join(root, 'dist/site');

/** `made`: a file that is there when the part was built, as seen from dist/site. */
const PARTS = [
  {
    name: 'widget',
    inputs: ['clients/widget', 'clients/sdk/src'],
    made: 'widget/v1/loader.js',
    args: ['clients/widget/build.mjs'],
  },
  {
    name: 'demo-shop',
    inputs: ['clients/demo-shop'],
    made: 'index.html',
    args: [VITE, 'build', 'clients/demo-shop'],
  },
  {
    name: 'operator-console',
    inputs: ['clients/operator-console', 'clients/sdk/src'],
    made: 'operator/index.html',
    args: [VITE, 'build', '--config', 'clients/operator-console/vite.config.ts', '--logLevel', 'warn'],
  },
  {
    name: 'try',
    inputs: ['clients/try', 'clients/sdk/src'],
    made: '../try/index.html',
    args: [VITE, 'build', 'clients/try', '--logLevel', 'warn'],
  },
  {
    name: 'docs',
    inputs: ['docs', 'README.md', 'README.ru.md', 'SECURITY.md', 'SECURITY.ru.md', 'scripts/docs-site'],
    made: 'docs/index.html',
    args: ['scripts/docs-site/build.mjs'],
  },
];

function* filesBelow(path) {
  if (statSync(path).isFile()) {
    yield path;
    return;
  }
  for (const name of readdirSync(path).sort()) {
    if (name !== 'dist' && name !== 'node_modules') yield* filesBelow(join(path, name));
  }
}

function fingerprint(part) {
  const hash = createHash('sha256').update(JSON.stringify(part));
  for (const input of [...part.inputs, 'package-lock.json', 'scripts/lib/pages.mjs']) {
    for (const file of filesBelow(join(root, input))) {
      if (/\.test\.tsx?$/.test(file)) continue;
      hash.update(file).update('\0').update(readFileSync(file)).update('\0');
    }
  }
  return hash.digest('hex');
}

/** Compressed once here rather than at every request. */
function compress() {
  for (const file of filesBelow(SITE)) {
    if (!/\.(?:js|css|svg)$/.test(file)) continue;
    const bytes = readFileSync(file);
    const isOlder = (copy) => !existsSync(copy) || statSync(copy).mtimeMs < statSync(file).mtimeMs;
    if (isOlder(`${file}.gz`)) writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
    if (isOlder(`${file}.br`)) writeFileSync(`${file}.br`, brotliCompressSync(bytes));
  }
}

export async function buildPages() {
  const stampFolder = join(root, '.setup/pages');
  const stale = PARTS.map((part) => ({
    ...part,
    stamp: join(stampFolder, part.name),
    print: fingerprint(part),
  })).filter(
    ({ stamp, print, made }) =>
      !existsSync(join(SITE, made)) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== print,
  );
  if (stale.length === 0) return;
  mkdirSync(stampFolder, { recursive: true });
  await Promise.all(
    stale.map(async ({ name, args, stamp, print }) => {
      rmSync(stamp, { force: true });
      await run(projectNode(), args, { label: `build ${name}` });
      writeFileSync(stamp, print);
    }),
  );
  compress();
}
