import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * `npm run pictures`: the pictures of the documents, taken of the product at work. `npm run pictures -- --mode en`: those of
 * the English ones. No part of `npm test`.
 */
export default defineConfig(({ mode }) => ({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    env: { ALBUM_LANGUAGE: mode === 'en' ? 'en' : 'ru' },
    include: ['browser/pictures.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000, interval: 100 } },
  },
}));
