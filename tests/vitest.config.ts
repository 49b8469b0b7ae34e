/**
 * Suites over the whole product. They know addresses and the contract, and nothing of the code.
 *
 * - `blackbox/`: the rules of SPEC.md over HTTP and the channel, against BLACKBOX_TARGET=standalone|stack|url. `npm test`
 *   runs `blackbox/one-service/` over standalone alone: one service decides those rules by itself, from a request or by
 *   its own timer, and runs the same code in one process and in the stack. All else runs over both: delivery, order,
 *   resume, limits, sign-in and tokens. `npm run campaign -- blackbox` runs everything over both
 * - `resume/`: clients cut off at random, on every transport
 * - `faults/`: a part is killed, paused or emptied under traffic; a checker verifies what each client was shown
 * - `browser/`: widget and console in Chromium and Firefox
 * - `repo/`: documents, examples and commands do what they say
 * - `campaigns/`: long runs, `npm run campaign`
 * - `support/`: what the suites share: targets, clients, checkers
 *
 * Start with `blackbox/main/`. A title carries the ID of the rule that it shows.
 */
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { TargetOrder } from './support/sequencer.ts';

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
    // A limit for what hangs, not for what is slow: other work of the machine may make any step take several times as
    // long.
    testTimeout: 180_000,
    expect: { poll: { timeout: 45_000, interval: 50 } },
    hookTimeout: 120_000,
    // One target serves all files: what is global to it (badge, presence, limits) must not be moved by a neighbour.
    fileParallelism: false,
    // One worker for all files: they share nothing but the target, and loading the schemas anew for each costs more
    // than the tests.
    isolate: false,
    sequence: { sequencer: TargetOrder },
  },
});
