import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** `npm run pictures`: the pictures of the documents, taken of the product at work. No part of `npm test`. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['browser/pictures.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000, interval: 100 } },
  },
});
