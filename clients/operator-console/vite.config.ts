import { defineConfig } from 'vite';

/** The pages of the console: `dist/site/operator/` of the project, which the standalone server and nginx serve as it is. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/operator/',
  resolve: { conditions: ['source', 'module', 'browser', 'production'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../dist/site/operator',
    emptyOutDir: true,
    target: 'es2022',
    // A polyfill would add a script that does nothing in the browsers this is built for.
    modulePreload: { polyfill: false },
    // Icons stay files: `data:` addresses need no exception in the page's policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
