import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../../dist/site/widget/v1/', import.meta.url));
const zipped = (name: string): number => gzipSync(readFileSync(folder + name), { level: 9 }).length;
/** Of this build only: hashed files of earlier builds are in the same folder. */
const asset = (name: string): string =>
  /assets\/[^']+/.exec(readFileSync(`${folder}${name}-latest.js`, 'utf8'))?.[0] ?? name;
const KB = 1_024;

/** Of what the build made: `npm test` builds first. */
describe('what a page loads', () => {
  it('is at most 4 KB before the visitor acts', () => {
    expect(zipped('loader.js')).toBeLessThanOrEqual(4 * KB);
  });

  it('is compiled beside the page, where the browser can do that', () => {
    expect(readFileSync(`${folder}loader.js`, 'utf8')).toMatch(/^\/\/# allFunctionsCalledOnLoad\n/);
  });

  it('is at most 45 KB on first open, its style sheet of at most 8 KB included', () => {
    expect(zipped(asset('panel'))).toBeLessThanOrEqual(45 * KB);
    const styles = fileURLToPath(new URL('./panel/styles/', import.meta.url));
    const css = readdirSync(styles).filter((file) => file.endsWith('.css'));
    const text = css.map((file) => readFileSync(styles + file, 'utf8')).join('');
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(8 * KB);
  });

  it('is at most 3 KB for the counters, in addition to their connection', () => {
    expect(zipped('badge.js')).toBeLessThanOrEqual(3 * KB);
    expect(zipped(asset('badge'))).toBeLessThanOrEqual(9 * KB);
  });

  it('names no other host and evaluates no text as code', () => {
    for (const name of ['loader.js', 'badge.js', asset('panel'), asset('badge')]) {
      const text = readFileSync(folder + name, 'utf8');
      const hosts = [...text.matchAll(/https?:\/\/[\w.-]+/g)].map(([host]) => host);
      expect(hosts.filter((host) => host !== 'http://www.w3.org')).toEqual([]);
      expect(text).not.toMatch(/\beval\(|new Function|@font-face/);
    }
  });
});
