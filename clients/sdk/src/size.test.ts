import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { bundle } from '../test/bundle.ts';

it.each([['index', 9 * 1_024]] as const)(
  'ships %s in at most %i bytes of gzip, without the schema library',
  async (entry, limit) => {
    const code = await bundle(entry);
    const size = gzipSync(code, { level: 9 }).length;
    console.log(`${entry}: ${code.length} bytes, ${size} gzip`);
    expect(code).not.toMatch(/Zod|safeParse/);
    expect(size).toBeLessThanOrEqual(limit);
  },
);
