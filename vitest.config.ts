import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Test files stand outside of the tsconfigs, from which the transformer would otherwise know how decorators are meant.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['libs/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'clients/*/src/**/*.test.ts', 'clients/*/src/**/*.test.tsx'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
