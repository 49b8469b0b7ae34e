import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The quick benchmarks as a guard of `npm test`. They run the built packages, in processes of their own. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: { include: ['guard.test.ts'], fileParallelism: false, testTimeout: 120_000, hookTimeout: 60_000 },
});
