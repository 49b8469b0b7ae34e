import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
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
    exclude: [
      ...configDefaults.exclude,
      // It writes into docs/ and has a command of its own.
      'browser/pictures.test.ts',
      // `npm run campaign -- browser` runs them too.
      ...(process.env['LONG_TESTS'] === '1' ? [] : ['**/*.long.test.ts']),
    ],
    globalSetup: ['support/control.ts'],
    // A limit for what hangs, not for what is slow: other work of the machine may make any step take several times as long.
    testTimeout: 180_000,
    expect: { poll: { timeout: 45_000, interval: 50 } },
    hookTimeout: 120_000,
    // One target serves all files: what is global to it (badge, presence, limits) must not be moved by a neighbour.
    fileParallelism: false,
    // One worker for all files: they share nothing but the target, and loading the schemas anew for each costs more than the tests.
    isolate: false,
    sequence: { sequencer: TargetOrder },
  },
});
