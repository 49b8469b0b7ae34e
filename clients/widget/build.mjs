// The files a page loads: dist/site/widget/v1 of the project. The loader stands alone and has a fixed name; what it loads carries a hash.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));
const outDir = fileURLToPath(new URL('../../dist/site/widget/v1', import.meta.url));

const common = {
  root,
  configFile: false,
  publicDir: false,
  logLevel: 'warn',
  resolve: { conditions: ['source'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
};
const target = 'es2022';

await build({
  ...common,
  build: {
    target,
    outDir,
    emptyOutDir: true,
    modulePreload: false,
    rolldownOptions: {
      input: { panel: `${root}src/panel/main.tsx` },
      preserveEntrySignatures: 'strict',
      output: { format: 'es', entryFileNames: 'assets/[name]-[hash].js', chunkFileNames: 'assets/[name]-[hash].js' },
    },
  },
});

const files = readdirSync(`${outDir}/assets`);
const panel = files.find((file) => file.startsWith('panel-'));
if (panel === undefined) throw new Error('the build made no panel');

// As a library: no helper for preloading is put in, which would be half of what the loader may weigh.
await build({
  ...common,
  define: { PANEL_FILE: JSON.stringify(`assets/${panel}`) },
  build: {
    target,
    outDir,
    emptyOutDir: false,
    minify: true,
    lib: {
      entry: `${root}src/loader/main.ts`,
      formats: ['iife'],
      name: 'chatWidgetLoader',
      fileName: () => 'loader.js',
    },
  },
});
if (!readFileSync(`${outDir}/loader.js`, 'utf8').includes(panel)) throw new Error('the loader does not know its panel');
