import { configDefaults, defineConfig } from 'vitest/config';

/** Unit and contract suites: the tests that stand beside the sources. The black-box suites have tests/vitest.config.ts. */
export default defineConfig({
  // Test files stand outside of the tsconfigs, from which the transformer would otherwise know how decorators are meant.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: [
      'libs/*/src/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'clients/*/src/**/*.test.ts',
      'clients/*/src/**/*.test.tsx',
    ],
    // `npm run campaign -- units` runs them too: they kill servers that take ten seconds to come back.
    exclude: [...configDefaults.exclude, ...(process.env['LONG_TESTS'] === '1' ? [] : ['**/*.long.test.ts'])],
    // Processes, not threads: each file starts and kills real servers of its own.
    pool: 'forks',
    // Loading the schemas and the servers' clients anew for each of a hundred files costs a fifth of the run.
    isolate: false,
    // One more than the cores of a small machine: much of the time goes into servers that start or are waited for.
    maxWorkers: 3,
    // A limit for what hangs, not for what is slow on a busy machine.
    testTimeout: 60_000,
    expect: { poll: { timeout: 15_000, interval: 50 } },
    // Hooks start servers, which takes many seconds where others start theirs.
    hookTimeout: 180_000,
  },
});
