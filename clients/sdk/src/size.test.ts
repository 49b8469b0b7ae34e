import { expect, it } from 'vitest';
import { bundle } from '../test/bundle.ts';

/** Bytes of gzip that are loaded to begin with. A change that needs more must say what for. */
it.each([
  ['index', 12_700],
  ['staff', 14_000],
  ['badge', 7_200],
] as const)('ships %s in at most %i bytes, and without the schema library', async (entry, limit) => {
  const { files, gzipBytes } = await bundle(entry);
  for (const code of files.values()) expect(code).not.toMatch(/Zod|safeParse/);
  expect(gzipBytes).toBeLessThanOrEqual(limit);
});
