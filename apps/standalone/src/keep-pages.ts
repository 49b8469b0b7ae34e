// Copies the pages of this image to those of earlier ones and ends: `node keep-pages.js <folder>`, before the edge that
// serves the folder begins.
import { fileURLToPath } from 'node:url';
import { keepPages } from './earlier-pages.ts';

const [kept, site = fileURLToPath(new URL('../../../dist/site', import.meta.url))] = process.argv.slice(2);
if (kept === undefined) {
  console.error('usage: node keep-pages.js <folder> [<pages, if not those built here>]');
  process.exitCode = 2;
} else await keepPages(site, kept);
