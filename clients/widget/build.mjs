// The files a page loads: dist/site/widget/v1 of the project. Loader and badge stand alone and have fixed names; what
// they load carries a hash of its content. Apart from each other: a shared file would be one more request on the way.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { BROWSER_TARGETS } from '../../scripts/lib/browser-targets.mjs';
import { keepBuilds, stashBuilds } from '../../scripts/lib/kept-builds.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const outDir = fileURLToPath(new URL('../../dist/site/widget/v1', import.meta.url));
const target = BROWSER_TARGETS;

const common = {
  root,
  configFile: false,
  publicDir: false,
  logLevel: 'warn',
  resolve: { conditions: ['source', 'module', 'browser', 'production'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
};
const output = { target, cssTarget: BROWSER_TARGETS, outDir, modulePreload: false, reportCompressedSize: false };

/**
 * Each of these modules is one file: what the client loads later elsewhere is in it from the start. Told to the bundler as
 * a plain import, it needs neither the object of a module's exports nor a function that begins it late.
 */
const inOneFile = {
  name: 'in-one-file',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/clients\/(?:sdk|widget)\/src\//.test(id)) return undefined;
    const imports = [];
    // What few visitors ever need stays apart. A browser may keep an import that failed until the page is left, so each has
    // an address of its own.
    const apart = code.replace(
      "import('../core/challenge.ts')",
      'import(/* @vite-ignore */ import.meta.url.replace(/assets\\/.*/, `challenge.js?${Date.now()}`))',
    );
    const text = apart.replace(/\bimport\('(\.[^']+)'\)/g, (_, from) => {
      imports.push(`import * as later${imports.length} from '${from}';`);
      return `Promise.resolve(later${imports.length - 1})`;
    });
    return text === code ? undefined : { code: imports.join('\n') + text, map: null };
  },
};

/** An ES module; `file` says what its name is made of. */
async function buildModule(name, entry, emptyOutDir, file = 'assets/[name]-[hash].js') {
  await build({
    ...common,
    plugins: [inOneFile],
    build: {
      ...output,
      emptyOutDir,
      rolldownOptions: {
        input: { [name]: root + entry },
        preserveEntrySignatures: 'strict',
        output: { format: 'es', entryFileNames: file, codeSplitting: false },
      },
    },
  });
  const made = readdirSync(`${outDir}/assets`).find((candidate) => candidate.startsWith(`${name}-`));
  if (made === undefined && file.includes('[hash]')) throw new Error(`the build made no ${name}`);
  return `assets/${made}`;
}

/** A plain script. As a library: no helper for preloading is put in, which would be half of what the loader may weigh. */
async function buildScript(name, entry, define, postBanner = '') {
  await build({
    ...common,
    define,
    build: {
      ...output,
      emptyOutDir: false,
      minify: true,
      lib: {
        entry: root + entry,
        formats: ['iife'],
        name: `chat_${name.replace('-', '_')}`,
        fileName: () => `${name}.js`,
      },
      rolldownOptions: { output: { postBanner } },
    },
  });
  const text = readFileSync(`${outDir}/${name}.js`, 'utf8');
  for (const value of Object.values(define)) {
    if (!text.includes(JSON.parse(value))) throw new Error(`${name}.js does not know ${value}`);
  }
}

const kept = stashBuilds(outDir);
const panel = await buildModule('panel', 'src/panel/main.tsx', true);
const badge = await buildModule('badge', 'src/badge/connection.ts', false);
// The console shows with it what a visitor will see.
await buildModule('preview', 'src/preview/main.ts', false, '[name].js');
// Fetched by the panel when somebody opens that page.
await buildModule('site', 'src/site.ts', false, '[name].js');
await buildModule('challenge', '../sdk/src/core/challenge.ts', false, '[name].js');
await buildModule('keep', 'src/panel/keep/main.tsx', false, '[name].js');
// Most of the loader runs at once. Told so, Chromium (136 or newer) compiles all of it while it comes in, beside the page's
// thread; otherwise each function is compiled on that thread when it is first called.
const runsAtOnce = '//# allFunctionsCalledOnLoad';
await buildScript('loader', 'src/loader/main.ts', { PANEL_FILE: JSON.stringify(panel) }, runsAtOnce);
await buildScript('push-worker', 'src/push-worker.ts', {});
await buildScript('badge', 'src/badge/main.ts', { BADGE_FILE: JSON.stringify(badge) });
// For a page that was opened before this build: its loader asks for these when its own files are gone.
for (const [part, file] of Object.entries({ panel, badge })) {
  writeFileSync(`${outDir}/${part}-latest.js`, `export * from './${file}';\n`);
}
keepBuilds(outDir, kept);
