import { expect, it } from 'vitest';
import { bundle } from '../test/bundle.ts';

/**
 * Bytes of gzip that are loaded first. A change that needs more must say here what for. So far: 80 for a monotonic clock
 * and 50 for converting its times for other tabs; in `staff`, 80 for the trace of a message and for administering a chat;
 * 100 for a gateway beside a site's own chat, which brings its own counters and responses; 80 for loading the code that
 * opens the link of a mail; 80 for adding a device; 100 for a text that a site has accepted and does not show yet; 45 for
 * taking a chat elsewhere, and 20 in `staff` for the transcript; 90 for loading the solver of a challenge, and 40 in
 * `staff` for the archive of an export.
 */
it.each([
  ['customer', 12_490],
  ['index', 12_880],
  ['staff', 14_310],
  ['badge', 6_850],
] as const)('ships %s in at most %i bytes, and without the schema library', async (entry, limit) => {
  const { files, gzipBytes } = await bundle(entry);
  for (const code of files.values()) expect(code).not.toMatch(/Zod|safeParse/);
  expect(gzipBytes).toBeLessThanOrEqual(limit);
});

it('loads on demand what a chat over WebSocket in one tab does not need', async () => {
  const { initial, lazyBytes } = await bundle('customer');
  expect(initial).toHaveLength(1);
  expect([...lazyBytes.keys()].toSorted()).toEqual([
    'challenge',
    'elsewhere',
    'fallbacks',
    'identity',
    'mail-link',
    'peers',
    'upload',
  ]);
  const limits: Record<string, number> = {
    fallbacks: 1_310,
    peers: 700,
    identity: 400,
    upload: 660,
    'mail-link': 400,
    elsewhere: 400,
    // Most of it is SHA-256, for pages without HTTPS.
    challenge: 3_600,
  };
  for (const [name, bytes] of lazyBytes) expect(bytes, name).toBeLessThanOrEqual(limits[name] ?? 0);
});
