import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { TargetOrder } from './support/sequencer.ts';

/** Black-box suites: BLACKBOX_TARGET=standalone|stack|url says over what. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: [
      'blackbox/**/*.test.ts',
      'resume/**/*.test.ts',
      'faults/**/*.test.ts',
      'repo/**/*.test.ts',
      'browser/**/*.test.ts',
    ],
    globalSetup: ['support/control.ts'],
    testTimeout: 20_000,
    hookTimeout: 120_000,
    // One target serves all files: what is global to it (badge, presence, limits) must not be moved by a neighbour.
    fileParallelism: false,
    // One worker for all files: they share nothing but the target, and loading the schemas anew for each costs more than the tests.
    isolate: false,
    sequence: { sequencer: TargetOrder },
  },
});
