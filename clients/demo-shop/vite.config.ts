import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { BROWSER_TARGETS } from '../../scripts/lib/browser-targets.mjs';

const site = fileURLToPath(new URL('../../dist/site', import.meta.url));

/** The page `/`: it shares its folder with the widget and the console, so only its own part of it is emptied. */
export default defineConfig({
  root: import.meta.dirname,
  // A proxy may keep the whole chat below a path of its own.
  base: './',
  publicDir: false,
  plugins: [{ name: 'empty-shop', buildStart: () => rmSync(`${site}/shop`, { recursive: true, force: true }) }],
  build: {
    outDir: site,
    assetsDir: 'shop',
    emptyOutDir: false,
    target: BROWSER_TARGETS,
    cssTarget: BROWSER_TARGETS,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
