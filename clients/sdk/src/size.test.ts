import { expect, it } from 'vitest';
import { bundle } from '../test/bundle.ts';

it('ships without the schema library', async () => {
  for (const entry of ['index', 'staff', 'badge'] as const) {
    const { files, initial, gzipBytes } = await bundle(entry);
    console.log(`${entry}: ${initial.map((name) => files.get(name)?.length).join(' + ')} bytes, ${gzipBytes} gzip`);
    for (const code of files.values()) expect(code).not.toMatch(/Zod|safeParse|ERR_/);
  }
});
