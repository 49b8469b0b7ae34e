import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { BROWSER_TARGETS } from '../../scripts/lib/browser-targets.mjs';

const page = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The page `/try/` and the frame of its customer. Not in `dist/site`: that folder is for everybody, this page is not. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/try/',
  publicDir: false,
  resolve: { conditions: ['source', 'module', 'browser', 'production'] },
  build: {
    outDir: page('../../dist/try'),
    emptyOutDir: true,
    target: BROWSER_TARGETS,
    cssTarget: BROWSER_TARGETS,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: { input: { index: page('index.html'), customer: page('customer/index.html') } },
  },
});
