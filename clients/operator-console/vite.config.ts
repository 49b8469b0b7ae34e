import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { BROWSER_TARGETS } from '../../scripts/lib/browser-targets.mjs';
import { keepingBuilds } from '../../scripts/lib/kept-builds.mjs';

const outDir = fileURLToPath(new URL('../../dist/site/operator', import.meta.url));

/** The pages of the console: `dist/site/operator/` of the project, which the standalone server and nginx serve as it is. */
export default defineConfig({
  root: import.meta.dirname,
  // Files stand beside the page, wherever a proxy has put it.
  base: './',
  resolve: { conditions: ['source', 'module', 'browser', 'production'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [keepingBuilds(outDir)],
  build: {
    outDir,
    emptyOutDir: true,
    target: BROWSER_TARGETS,
    cssTarget: BROWSER_TARGETS,
    // A polyfill would add a script that does nothing in the browsers this is built for.
    modulePreload: { polyfill: false },
    // Icons stay files: `data:` addresses need no exception in the page's policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
