import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** `npm run campaign -- <name>`: long runs that prove or measure what `npm test` has no time for. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['campaigns/**/*.campaign.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000, interval: 100 } },
    fileParallelism: false,
  },
});
