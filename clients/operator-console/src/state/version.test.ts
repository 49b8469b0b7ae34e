import { describe, expect, it } from 'vitest';
import { isOutdated, namedBy } from './version.ts';

const page = (script: string, style: string): string =>
  `<script type="module" src="./assets/${script}"></script><link rel="stylesheet" href="./assets/${style}">`;

describe('a new version of the console', () => {
  const address = 'https://site.example/support/operator/';
  const running = ['index-aaaa.js', 'index-bbbb.css'].map((file) =>
    namedBy(`${address}#/inbox`, `${address}assets/${file}`),
  );

  it('is detected once the page names another script or style sheet', () => {
    expect(isOutdated(page('index-aaaa.js', 'index-bbbb.css'), running)).toBe(false);
    expect(isOutdated(page('index-cccc.js', 'index-bbbb.css'), running)).toBe(true);
    expect(isOutdated(page('index-aaaa.js', 'index-cccc.css'), running)).toBe(true);
  });

  it.each(['', '<title>502 Bad Gateway</title>', '<form action="/login">Wi-Fi</form>'])(
    'is not inferred from a page that is not ours: %j',
    (other) => expect(isOutdated(other, running)).toBe(false),
  );
});
